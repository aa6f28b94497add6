import { limits } from '../core/limits.js'

/** Appends `rowCount` row objects, made of decoded columns, to `rows`. */
export type RowMaker = (
  rowCount: number,
  columns: readonly (readonly unknown[])[],
  rows: Record<string, unknown>[],
) => void

/**
 * Makers of row objects by list of column names. An object literal generated for the names
 * is several times faster than assigning properties in a loop, and gives all rows one shape.
 */
export class RowMakers {
  readonly #makers = new Map<string, RowMaker>()

  /** The maker for these names; of equal names the last column wins, as in better-sqlite3. */
  get(names: readonly string[]): RowMaker {
    const key = JSON.stringify(names)
    let maker = this.#makers.get(key)
    if (maker === undefined) {
      maker = createRowMaker(names)
      this.#makers.set(key, maker)
      if (this.#makers.size > limits.rowMakersMax) {
        this.#makers.delete(this.#makers.keys().next().value ?? key)
      }
    }
    return maker
  }
}

/** Beyond this many columns an engine keeps objects as dictionaries anyway. */
const generatedColumnsMax = 200

function createRowMaker(names: readonly string[]): RowMaker {
  // In a literal `__proto__` twice is an error; better-sqlite3 assigns, and so does the loop.
  if (names.length > generatedColumnsMax || names.includes('__proto__')) {
    return assigningRowMaker(names)
  }
  try {
    return generatedRowMaker(names)
  } catch {
    // The process forbids code from strings (--disallow-code-generation-from-strings).
    return assigningRowMaker(names)
  }
}

function generatedRowMaker(names: readonly string[]): RowMaker {
  const columns = names.map((_, index) => `c${index} = columns[${index}]`)
  const properties = names.map((name, index) => `${JSON.stringify(name)}: c${index}[i]`)
  const body = `const ${['n = rowCount', ...columns].join(', ')}
for (let i = 0; i < n; i++) rows.push({ ${properties.join(', ')} })`
  const maker: unknown = new Function('rowCount', 'columns', 'rows', body)
  return maker as RowMaker
}

function assigningRowMaker(names: readonly string[]): RowMaker {
  return (rowCount, columns, rows) => {
    for (let row = 0; row < rowCount; row++) {
      const object: Record<string, unknown> = {}
      names.forEach((name, index) => {
        object[name] = columns[index]?.[row]
      })
      rows.push(object)
    }
  }
}
