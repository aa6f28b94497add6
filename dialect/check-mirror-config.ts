import { HtapError } from '../src/core/htap-error.js'
import { limits } from '../src/core/limits.js'
import type { HtapDialectConfig } from './htap-dialect-config.js'

/** @throws HtapError `config-invalid` */
export function checkMirrorConfig({ olap, sync }: HtapDialectConfig): void {
  const whenLocked = olap?.whenLocked ?? 'sqlite'
  if (whenLocked !== 'sqlite' && whenLocked !== 'memory') {
    throw new HtapError('config-invalid', "`olap.whenLocked` must be 'sqlite' or 'memory'")
  }
  if (sync === undefined || sync === false) {
    return
  }
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
