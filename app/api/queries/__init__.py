"""What can be asked, by feature: the fields of Query."""
