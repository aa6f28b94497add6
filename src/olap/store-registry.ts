import * as files from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { HtapError } from '../core/htap-error.js'
import { through } from '../core/outside-world.js'

/**
 * Claims a DuckDB file for one store of this process. DuckDB's own lock only refuses other
 * processes; opened twice in one process, the two instances silently overwrite each other.
 * The claims hang on `globalThis` because a process may hold several copies of this module.
 *
 * @returns releases the claim
 * @throws HtapError `mirror-unavailable` when the file is open already
 */
export async function claimStoreFile(path: string): Promise<() => void> {
  const file = await canonicalPath(path)
  const claims = openFiles()
  if (claims.has(file)) {
    throw new HtapError('mirror-unavailable', `${path} is already open in this process`, {
      hint: 'share one instance, or give each its own olap.path',
      facts: { reason: 'in-use', path },
    })
  }
  claims.add(file)
  return () => claims.delete(file)
}

const registryKey = Symbol.for('kysely-htap.open-duckdb-files')

function openFiles(): Set<string> {
  const holder = globalThis as typeof globalThis & { [registryKey]?: Set<string> }
  holder[registryKey] ??= new Set()
  return holder[registryKey]
}

/** A file that does not exist yet is known by its folder. */
async function canonicalPath(path: string): Promise<string> {
  const absolute = resolve(path)
  try {
    return await through('files', files).realpath(absolute)
  } catch {
    try {
      const folder = await through('files', files).realpath(dirname(absolute))
      return join(folder, basename(absolute))
    } catch (cause) {
      throw new HtapError('mirror-unavailable', `the folder of ${path} does not exist`, {
        cause,
        facts: { reason: 'folder-missing', path },
      })
    }
  }
}
