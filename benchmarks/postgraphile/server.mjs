// PostGraphile 5 with the Amber preset over the hub's own tables; it prints its port when it answers.
//
//   DATABASE_URL      where they are; every connection takes the application's role, for which row-level security holds
//   CONNECTIONS       how many database connections its pool has
//   ORGANIZATION_ID   whose rows it shows: a request needs no token here, which is in PostGraphile's favour
import { createServer } from 'node:http';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { PgSimplifyInflectionPreset } from '@graphile/simplify-inflection';

const { DATABASE_URL, CONNECTIONS, ORGANIZATION_ID } = process.env;

const preset = {
  extends: [PostGraphileAmberPreset, PgSimplifyInflectionPreset],
  // It keeps one from ordering by the second column of an index, as lines are by their position.
  disablePlugins: ['PgIndexBehaviorsPlugin'],
  // Plain lists too, without edges and cursors, as the hub's lines and runs are.
  schema: { defaultBehavior: 'list connection' },
  grafast: {
    context: { pgSettings: { 'crosswalk.organization_id': ORGANIZATION_ID, 'crosswalk.client_id': '*' } },
    explain: false,
  },
  grafserv: { graphiql: false, watch: false, websockets: false },
  pgServices: [
    makePgService({
      connectionString: DATABASE_URL,
      poolConfig: { max: Number(CONNECTIONS), options: '-c role=crosswalk_app -c timezone=UTC' },
      schemas: ['public'],
    }),
  ],
};

const server = createServer();
await postgraphile(preset).createServ(grafserv).addTo(server);
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
