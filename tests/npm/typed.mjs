// The client of clients/typescript, as `npm run build` makes it, with documents that it has not generated.
import { parse } from 'graphql';
import { Crosswalk } from '../../clients/typescript/dist/client.js';

export function connect({ url, token }) {
  const hub = new Crosswalk(url, token);

  const run = async (text, variables) => ({ data: await hub.run(parse(text), variables) });

  async function follow(text, variables, seen) {
    for await (const data of hub.follow(parse(text), variables)) seen(Object.values(data)[0]);
  }

  return { run, follow };
}
