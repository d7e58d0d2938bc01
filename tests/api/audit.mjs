// Runs the checks of GraphQL over HTTP against a URL, with a token, and prints each result as JSON.
import { createRequire } from 'node:module';

const [folder, url, token] = process.argv.slice(2);
const { auditServer } = createRequire(`${folder}/`)('graphql-http');
const fetchFn = (address, init = {}) => fetch(address, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });
const results = await auditServer({ url, fetchFn });
console.log(JSON.stringify(results.map(({ id, name, status, reason }) => ({ id, name, status, reason }))));
