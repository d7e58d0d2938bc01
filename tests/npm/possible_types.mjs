// Which types each interface and union has, read from the contract. The generated TypeScript client exports the same.
import { readFileSync } from 'node:fs';
import { buildSchema, isAbstractType } from 'graphql';

const schema = buildSchema(readFileSync(new URL('../../graphql/schema.graphql', import.meta.url), 'utf8'));
const abstract = Object.values(schema.getTypeMap()).filter(isAbstractType);
export const possibleTypes = Object.fromEntries(abstract.map((kind) => [kind.name, schema.getPossibleTypes(kind).map(({ name }) => name)]));
