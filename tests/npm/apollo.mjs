// Apollo Client: queries and mutations over HTTP, subscriptions by graphql-ws.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { possibleTypes } from './possible_types.mjs';

globalThis.WebSocket ??= WebSocket; // only Node before 22 needs this; browsers have their own

export function connect({ url, token }) {
  const authorization = `Bearer ${token}`;
  const socket = createClient({
    url: url.replace(/^http/, 'ws'),
    connectionParams: { authorization },
    retryAttempts: 0, // `follow` goes on by itself, from the right place
  });
  const client = new ApolloClient({
    cache: new InMemoryCache({ possibleTypes }), // without them Apollo drops what `... on Refusal` asks for
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(socket),
      new HttpLink({ uri: url, headers: { authorization } }),
    ),
  });

  const run = (text, variables) =>
    text.startsWith('mutation') ? client.mutate({ mutation: gql(text), variables }) : client.query({ query: gql(text), variables });

  // Apollo ends a subscription with its connection; subscribing again with the last cursor goes on from there.
  function follow(text, variables, seen) {
    const query = gql(text);
    const from = { ...variables };
    const again = () => setTimeout(subscribe, 500);
    function subscribe() {
      client.subscribe({ query, variables: { ...from } }).subscribe({
        next({ data, error }) {
          if (error) return again();
          const [event] = Object.values(data);
          from.after = event.cursor;
          seen(event);
        },
        error: again,
      });
    }
    subscribe();
  }

  return { run, follow };
}
