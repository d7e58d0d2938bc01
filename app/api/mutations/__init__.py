"""What can be changed, by feature: the fields of Mutation, each with the union of its answers."""
