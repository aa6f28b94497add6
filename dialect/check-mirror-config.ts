import { HtapError } from '../src/core/htap-error.js'
import { limits } from '../src/core/limits.js'
import { foldIdentifier } from '../src/core/sql-identifier.js'
import type { HtapDialectConfig, HtapSyncConfig } from './htap-dialect-config.js'

/** @throws HtapError `config-invalid` */
export function checkMirrorConfig({ olap, sync }: HtapDialectConfig): void {
  const whenLocked = olap?.whenLocked ?? 'sqlite'
  if (whenLocked !== 'sqlite' && whenLocked !== 'memory') {
    throw new HtapError('config-invalid', "`olap.whenLocked` must be 'sqlite' or 'memory'")
  }
  if (sync === undefined || sync === false) {
    return
  }
  checkTemporal(sync)
  const { logRowsMax = limits.logRowsMax, onSetAside } = sync
  if (!Number.isInteger(logRowsMax) || logRowsMax < limits.logRowsMaxMin) {
    throw new HtapError(
      'config-invalid',
      `\`sync.logRowsMax\` must be a whole number >= ${limits.logRowsMaxMin}`,
    )
  }
  if (onSetAside !== undefined && typeof onSetAside !== 'function') {
    throw new HtapError('config-invalid', '`sync.onSetAside` must be a function')
  }
}

function checkTemporal({ mode = 'mirror', tables = 'auto', history }: HtapSyncConfig): void {
  const modes = typeof tables === 'object' && !Array.isArray(tables) ? Object.values(tables) : []
  for (const it of [mode, ...modes.map((table) => table?.mode)]) {
    if (it !== 'mirror' && it !== 'temporal') {
      throw new HtapError('config-invalid', "`sync.mode` must be 'mirror' or 'temporal'", {
        hint: 'of a table: `sync: { tables: { orders: { mode: "temporal" } } }`',
      })
    }
  }
  const names = Object.values(history?.columns ?? {}).map(foldIdentifier)
  if (names.includes('') || new Set(names).size < names.length) {
    throw new HtapError('config-invalid', '`sync.history.columns` must be different names')
  }
}
