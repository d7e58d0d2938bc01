// No library at all for queries and mutations; graphql-ws for what is live.
import { connect as connectSocket } from './graphql_ws.mjs';

export function connect({ url, token }) {
  async function run(query, variables) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    return response.json(); // { data } or { errors }
  }

  return { run, follow: connectSocket({ url, token }).follow };
}
