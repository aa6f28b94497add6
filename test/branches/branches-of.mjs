import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mergeProcessCovs } from '@bcoe/v8-coverage'
import { convert } from 'ast-v8-to-istanbul'
import { parseAst } from 'vitest/node'

const root = new URL('../../', import.meta.url)
const dist = new URL('dist/', root).href
/** Reports that are merged at once; all of them would not fit into memory. */
const mergedMax = 50

/**
 * Every branch of the source, with how often it was taken: both ways of an `if`, each case of a
 * `switch`, each operand of `&&`, `||` and `??`.
 *
 * @param folder what NODE_V8_COVERAGE named while the built code ran
 * @param rooms beginnings of paths from the root; only these are looked at
 */
export async function branchesOf(folder, rooms) {
  let merged = { result: [] }
  const names = readdirSync(folder)
  for (let at = 0; at < names.length; at += mergedMax) {
    const reports = names
      .slice(at, at + mergedMax)
      .flatMap((name) => readReport(folder, name, rooms))
    merged = mergeProcessCovs([merged, ...reports])
  }
  const branches = []
  for (const script of merged.result) {
    branches.push(...(await branchesOfScript(script)))
  }
  return branches.sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line)
}

function readReport(folder, name, rooms) {
  const text = readFileSync(join(folder, name), 'utf8')
  let report
  try {
    report = JSON.parse(text)
  } catch {
    // Of a process that was killed while it wrote this.
    return []
  }
  const result = report.result.filter(({ url }) =>
    rooms.some((room) => url.startsWith(dist + room)),
  )
  return [{ result }]
}

async function branchesOfScript(coverage) {
  const code = readFileSync(new URL(coverage.url), 'utf8')
  const sourceMap = JSON.parse(readFileSync(new URL(`${coverage.url}.map`), 'utf8'))
  sourceMap.sources = sourceMap.sources.map((it) => fileURLToPath(new URL(it, coverage.url)))
  sourceMap.sourcesContent = sourceMap.sources.map((it) => readFileSync(it, 'utf8'))
  const ast = parseAst(code)
  const found = await convert({ ast, code, coverage, sourceMap, wrapperLength: 0 })
  return Object.entries(found).flatMap(([path, { branchMap, b }]) => {
    const lines = readFileSync(path, 'utf8').split('\n')
    return Object.entries(branchMap).flatMap(([id, { loc, locations }]) =>
      b[id].map((count, way) => {
        // The way around an `if` without `else` has no place of its own.
        const line = locations[way]?.start.line ?? loc.start.line
        const file = path.slice(fileURLToPath(root).length)
        return { file, line, count, text: lines[line - 1].trim() }
      }),
    )
  })
}
