// Writes src/operations.ts: types and documents of every operation of graphql/operations, and the types behind each
// interface and union, which Apollo Client's cache has to be told.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codegen } from '@graphql-codegen/core';
import * as typedDocumentNode from '@graphql-codegen/typed-document-node';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import { buildASTSchema, isAbstractType, parse } from 'graphql';

const here = fileURLToPath(new URL('.', import.meta.url));
const contract = join(here, '..', '..', 'graphql');
const target = join(here, 'src', 'operations.ts');
const read = (...path) => parse(readFileSync(join(contract, ...path), 'utf8'));

function possibleTypes(schema) {
  const abstract = Object.values(schema.getTypeMap()).filter(isAbstractType);
  return Object.fromEntries(abstract.map((kind) => [kind.name, schema.getPossibleTypes(kind).map(({ name }) => name)]));
}

const names = readdirSync(join(contract, 'operations')).filter((name) => name.endsWith('.graphql')).sort();
const schema = read('schema.graphql');
const text = await codegen({
  filename: target,
  schema,
  documents: names.map((name) => ({ location: name, document: read('operations', name) })),
  plugins: [{ typescriptOperations: {} }, { typedDocumentNode: {} }],
  pluginMap: { typescriptOperations, typedDocumentNode },
  config: {
    enumsAsTypes: true,
    useTypeImports: true,
    strictScalars: true,
    // As the hub sends them: ids, exact numbers and times are text.
    scalars: { ID: { input: 'string', output: 'string' }, Date: 'string', DateTime: 'string', Decimal: 'string', JSON: 'unknown' },
  },
});
const possible = JSON.stringify(possibleTypes(buildASTSchema(schema)), null, 2);
writeFileSync(target, `${text}\n/** For Apollo Client: new InMemoryCache({ possibleTypes }). */\nexport const possibleTypes: Record<string, string[]> = ${possible};\n`);
