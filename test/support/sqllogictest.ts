import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** SQLite's own corpus of statements and queries lies outside the repository. */
export const corpusFolder = resolve(
  process.env['KYSELY_HTAP_DATA'] ?? resolve(import.meta.dirname, '../../../shared/data'),
  'sqllogictest',
)

export interface TestRecord {
  readonly kind: 'statement' | 'query'
  readonly sql: string
}

/** The corpus' files; none where it is absent, which the caller says. */
export function corpusFiles(): readonly string[] {
  return existsSync(corpusFolder)
    ? readdirSync(corpusFolder).filter((name) => name.endsWith('.test.gz'))
    : []
}

/** What SQLite is meant to run of a file, in order. */
export function readRecords(file: string): readonly TestRecord[] {
  const text = gunzipSync(readFileSync(resolve(corpusFolder, file))).toString('utf8')
  return text
    .replaceAll('\r', '')
    .split(/\n\n+/)
    .flatMap((block): readonly TestRecord[] => {
      const lines = block.split('\n').filter((line) => !line.startsWith('#'))
      const skipped = lines.some(
        (line) => /^skipif sqlite/.test(line) || /^onlyif (?!sqlite)/.test(line),
      )
      const at = lines.findIndex((line) => /^(statement|query)\b/.test(line))
      if (skipped || at < 0) {
        return []
      }
      const end = lines.indexOf('----')
      const sql = lines.slice(at + 1, end < 0 ? undefined : end).join('\n')
      return [{ kind: lines[at]!.startsWith('query') ? 'query' : 'statement', sql }]
    })
}
