// Runs one npm client as the tests tell it: node session.mjs <client>, the first line of standard input is {url, token}.
// Each further line is {"run": text, "variables"} or {"follow": text, "variables"}; each line of output is {"result"} or {"event"}.
import { createInterface } from 'node:readline';

const { connect } = await import(`./${process.argv[2]}.mjs`);
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
let client;

for await (const line of createInterface({ input: process.stdin })) {
  const told = JSON.parse(line);
  if (!client) client = connect(told);
  else if (told.run) say({ result: await client.run(told.run, told.variables) });
  else client.follow(told.follow, told.variables, (event) => say({ event }));
}
process.exit(0); // a client that retries for ever does not keep the process
