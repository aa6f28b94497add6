import { isDeepStrictEqual } from 'node:util'

/** How long a query is repeated, and how often at least and at most. */
const repeatMs = 500
const roundsMin = 3
const roundsMax = 50
/** From this on one run of the stock dialect says enough. */
const slowMs = 500

/**
 * Runs a query through both dialects, in turns, and compares every answer of either.
 *
 * @param routes receives the dialect's decisions, newest last
 */
export async function compareEngines({ name, build, engine }, stock, htapDb, routes) {
  const query = { stock: build(stock), htap: build(htapDb) }
  const expected = await timed(() => query.stock.execute())
  const stockMs = [expected.ms]
  const htapMs = []
  let isEqual = true
  const startMs = performance.now()
  const isOver = (round) => round >= roundsMin && performance.now() - startMs > repeatMs
  for (let round = 0; round < roundsMax && !isOver(round); round++) {
    const actual = await timed(() => query.htap.execute())
    htapMs.push(actual.ms)
    isEqual &&= isDeepStrictEqual(actual.value, expected.value)
    if (round > 0 && expected.ms < slowMs) {
      stockMs.push((await timed(() => query.stock.execute())).ms)
    }
  }
  const route = routes.at(-1)
  return Object.freeze({
    name,
    rows: expected.value.length,
    stockMs: median(stockMs),
    htapMs: median(htapMs),
    isEqual,
    isRouted: route?.engine === engine,
    route: route?.engine ?? 'none',
    reason: route?.reason ?? '',
  })
}

async function timed(action) {
  const startMs = performance.now()
  const value = await action()
  return { value, ms: performance.now() - startMs }
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}
