import { resolve } from 'node:path'
import { HtapError } from '../../src/core/htap-error.js'
import { limits } from '../../src/core/limits.js'
import { foldIdentifier } from '../../src/core/sql-identifier.js'
import type { HistoryOptions } from '../../sync/history/temporal-history.js'
import type { AnalyticsHost } from '../analytics.js'
import type { HtapSyncConfig, PeriodColumns } from '../htap-dialect-config.js'

/** The names of the period columns where the configuration gives no others. */
const defaultColumns: PeriodColumns = Object.freeze({
  validFrom: 'valid_from',
  validTo: 'valid_to',
  operation: 'operation',
  position: 'position',
})

/** The names of the period columns. */
export function periodColumns(sync: HtapSyncConfig | undefined): PeriodColumns {
  return { ...defaultColumns, ...sync?.history?.columns }
}

/** The tables that are copied, as far as the configuration lists them. */
export function mirroredTables(sync: HtapSyncConfig | undefined): 'auto' | readonly string[] {
  const tables = sync?.tables ?? 'auto'
  return isList(tables) ? tables : 'auto'
}

/**
 * What temporal mode is to do; null without it.
 *
 * @throws HtapError `config-invalid` for a database without a file
 */
export function temporalOptions({ config, path }: AnalyticsHost): HistoryOptions | null {
  const sync = config.sync === false ? undefined : config.sync
  const wanted = temporalTables(sync)
  if (wanted === null) {
    return null
  }
  const place = sync?.history?.path ?? (path === null ? null : `${path}-htap-history`)
  if (place === null || path === null) {
    throw new HtapError('config-invalid', 'temporal mode needs a database file in WAL mode', {
      hint: 'a database in memory ends with its process, and its history would, too',
    })
  }
  if (resolve(place) === path) {
    throw new HtapError(
      'config-invalid',
      '`sync.history.path` is the path of the database itself',
      {
        hint: 'give the history a file of its own',
      },
    )
  }
  return {
    ...wanted,
    path: resolve(place),
    reserved: new Set(Object.values(periodColumns(sync)).map(foldIdentifier)),
    intervalMs: sync?.intervalMs ?? limits.foreignPollIntervalMs,
  }
}

function temporalTables(
  sync: HtapSyncConfig | undefined,
): Pick<HistoryOptions, 'tables' | 'except'> | null {
  const { mode = 'mirror', tables = 'auto' } = sync ?? {}
  if (isList(tables)) {
    return mode === 'temporal' ? { tables, except: [] } : null
  }
  const modes = tables === 'auto' ? [] : Object.entries(tables)
  const named = (wanted: string) =>
    modes.filter(([, it]) => it.mode === wanted).map(([name]) => name)
  if (mode === 'temporal') {
    return { tables: 'all', except: named('mirror') }
  }
  const temporal = named('temporal')
  return temporal.length === 0 ? null : { tables: temporal, except: named('mirror') }
}

function isList(tables: HtapSyncConfig['tables']): tables is readonly string[] {
  return Array.isArray(tables)
}
