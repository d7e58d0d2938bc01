// Lists all quotes page by page and approves the first one, first with a version that nobody saw; then follows it.
// Its arguments are the endpoint, an API token, and whether operations are named instead of sent.
import { Crosswalk, RequestFailed } from './client.ts';
import { ApproveQuoteDocument, QuoteChangedDocument, QuoteDocument, QuotesDocument, type QuotesQuery } from './operations.ts';

type Quote = QuotesQuery['quotes']['nodes'][number];

async function* allQuotes(hub: Crosswalk, pageSize: number): AsyncGenerator<Quote> {
  let after: string | null = null;
  do {
    const { quotes }: QuotesQuery = await hub.run(QuotesDocument, { first: pageSize, after });
    yield* quotes.nodes;
    after = quotes.pageInfo.hasNextPage ? (quotes.pageInfo.endCursor ?? null) : null;
  } while (after !== null);
}

async function approve(hub: Crosswalk, quote: Quote, version: number): Promise<string> {
  const { approveQuote } = await hub.run(ApproveQuoteDocument, {
    quoteId: quote.id,
    version,
    signatureName: 'Olive Owner',
    acceptTerms: true,
    idempotencyKey: crypto.randomUUID(),
  });
  switch (approveQuote.__typename) {
    case 'ApproveQuoteSuccess':
      return `approved for ${approveQuote.decision.approvedTotal.formatted}`;
    case 'QuoteChanged':
      return `refused: it is at version ${approveQuote.currentVersion} (${approveQuote.code})`;
    default:
      return `refused: ${approveQuote.message} (${approveQuote.code}, to be fixed by ${approveQuote.fixBy})`;
  }
}

export async function main(url: string, token: string, byName: boolean): Promise<void> {
  const hub = new Crosswalk(url, token, { byName });
  const quotes: Quote[] = [];
  for await (const quote of allQuotes(hub, 2)) quotes.push(quote);
  console.log(`${quotes.length} quotes`);
  const first = quotes[0];
  if (!first) return;
  console.log(await approve(hub, first, first.version + 1));
  console.log(await approve(hub, first, first.version));
  try {
    await hub.run(QuoteDocument, { id: 'nonsense' });
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    console.log(`failed: ${error.errors[0]?.extensions?.code}`);
  }
  for await (const { quoteChanged } of hub.follow(QuoteChangedDocument, { quoteId: first.id })) {
    console.log(`followed: ${quoteChanged.quote?.status}`);
    break; // hangs up
  }
}
