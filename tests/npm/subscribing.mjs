// What graphql-ws and graphql-sse have in common: both send an operation again by themselves after a broken connection.
export function subscribing(client) {
  const run = (query, variables) =>
    new Promise((resolve, reject) => {
      client.subscribe({ query, variables }, { next: resolve, error: reject, complete: () => {} });
    });

  // It is sent again with the variables as they are then: with the cursor of the last event as `after` nothing is missed and
  // nothing comes twice.
  function follow(query, variables, seen) {
    const from = { ...variables };
    const next = ({ data }) => {
      const [event] = Object.values(data);
      from.after = event.cursor;
      seen(event);
    };
    return client.subscribe({ query, variables: from }, { next, error: console.error, complete: () => {} });
  }

  return { run, follow };
}
