// Apollo Client with persisted queries: the hash goes by GET, and the text by POST only where the hub does not know the hash.
import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { possibleTypes } from './possible_types.mjs';

const requests = [];
const send = globalThis.fetch;
globalThis.fetch = async (address, options) => {
  const response = await send(address, options);
  requests.push({ method: options.method, status: response.status, etag: response.headers.get('etag') });
  return response;
};

export function connect({ url, token }) {
  const sha256 = async (text) => createHash('sha256').update(text).digest('hex'); // browsers: crypto.subtle
  const client = new ApolloClient({
    cache: new InMemoryCache({ possibleTypes }),
    link: ApolloLink.from([
      new PersistedQueryLink({ sha256, useGETForHashedQueries: true }),
      new HttpLink({ uri: url, headers: { authorization: `Bearer ${token}` } }),
    ]),
  });

  // With the requests that it took, for the test to see.
  async function run(text, variables) {
    const { data } = await client.query({ query: gql(text), variables, fetchPolicy: 'network-only' });
    return { data: { ...data, requests: requests.splice(0) } };
  }

  return { run };
}
