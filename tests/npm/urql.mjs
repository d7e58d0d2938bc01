// urql: queries and mutations over HTTP, and subscriptions too, as server-sent events by its own fetch.
import { Client, fetchExchange } from '@urql/core';
import { pipe, subscribe as listen } from 'wonka';

export function connect({ url, token }) {
  const client = new Client({
    url,
    preferGetMethod: false,
    fetchSubscriptions: true,
    fetchOptions: { headers: { authorization: `Bearer ${token}` } },
    exchanges: [fetchExchange],
  });

  const run = (text, variables) =>
    text.startsWith('mutation') ? client.mutation(text, variables).toPromise() : client.query(text, variables).toPromise();

  // urql tells of a broken connection as an error; subscribing again with the last cursor goes on from there.
  function follow(text, variables, seen) {
    const from = { ...variables };
    function subscribe() {
      const results = client.subscription(text, { ...from });
      const { unsubscribe } = pipe(
        results,
        listen(({ data, error }) => {
          if (error) {
            unsubscribe();
            setTimeout(subscribe, 500);
            return;
          }
          const [event] = Object.values(data);
          from.after = event.cursor;
          seen(event);
        }),
      );
    }
    subscribe();
  }

  return { run, follow };
}
