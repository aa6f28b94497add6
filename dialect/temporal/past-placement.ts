import type { TemporalHistory } from '../../sync/history/temporal-history.js'
import type { PlainMoment } from './moment.js'
import type { PlacedQuery } from './past-design.js'
import type { PastQuery, VersionFilter } from './past-query.js'
import type { VersionRange } from './past-tables.js'

/** Puts positions in the place of moments, once everything up to them is in the history. */
export async function placeQuery(query: PastQuery, history: TemporalHistory): Promise<PlacedQuery> {
  const tables = await Promise.all(
    [...query.tables].map(async ([name, { table, moment }]) => {
      return { name, table, position: await positionOf(moment, history) }
    }),
  )
  if (query.base === 'now') {
    await history.moveNow()
    return { base: { position: history.state.position }, tables }
  }
  return 'kind' in query.base
    ? { base: await rangeOf(query.base, history), tables }
    : { base: { position: await positionOf(query.base, history) }, tables }
}

/** The position of the state at a moment. */
export async function positionOf(moment: PlainMoment, history: TemporalHistory): Promise<number> {
  if ('instant' in moment) {
    return await history.settledPositionAt(moment.instant)
  }
  if (moment.position > history.state.position) {
    await history.moveNow()
  }
  return Math.min(moment.position, history.state.position)
}

/**
 * The rules of SQL:2011 and Db2 for half-open periods: BETWEEN holds its end, FROM ... TO does not, and
 * CONTAINED IN asks for versions that begin and end inside.
 */
async function rangeOf(filter: VersionFilter, history: TemporalHistory): Promise<VersionRange> {
  const { kind, from, to, deleted } = filter
  const all = {
    beginMin: 0,
    beginMax: Number.MAX_SAFE_INTEGER,
    endAfter: -1,
    endMax: null,
    deleted,
  }
  if (kind === 'all' || from === null || to === null) {
    await history.moveNow()
    return all
  }
  const end = await positionOf(to, history)
  switch (kind) {
    case 'between':
      return { ...all, beginMax: end, endAfter: await positionOf(from, history) }
    case 'from-to':
      return {
        ...all,
        beginMax: await positionOf(before(to), history),
        endAfter: await positionOf(from, history),
      }
    case 'contained-in':
      return { ...all, beginMin: (await positionOf(before(from), history)) + 1, endMax: end }
  }
}

/** The last moment that is not this one. */
function before(moment: PlainMoment): PlainMoment {
  return 'instant' in moment
    ? { instant: Math.max(0, moment.instant - 1) }
    : { position: Math.max(0, moment.position - 1) }
}
