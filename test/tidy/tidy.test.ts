import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

// The rules of the house that no compiler and no linter checks.

const root = fileURLToPath(new URL('../..', import.meta.url))
const rooms = ['src', 'sync', 'dialect']

/** What a file in a room may import of ours; the longest matching name counts. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'src/core': ['src/core'],
  'src/oltp': ['src/core', 'src/oltp'],
  'src/olap': ['src/core', 'src/olap'],
  sync: ['src', 'sync'],
  'dialect/translate': ['src/core', 'dialect/translate'],
  dialect: ['src', 'sync', 'dialect'],
}

/** The one room that may import a package. */
const roomOfPackage: Readonly<Record<string, string>> = {
  'better-sqlite3': 'src/oltp',
  '@duckdb/node-bindings': 'src/olap',
  '@duckdb/node-api': 'src/olap',
  kysely: 'dialect',
}

const linesMax = 300
/** Larger files, each with the reason why it stays whole. */
const mayBeLarger: Readonly<Record<string, string>> = {
  'dialect/translate/parse/parse-expression.ts': 'one grammar, read from top to bottom',
  'dialect/translate/select/core.ts': 'one clause after the other in the order of SQL',
}

interface SourceFile {
  readonly path: string
  readonly text: string
  /** Without comments, whose words are free; strings stay. */
  readonly code: string
}

const files: readonly SourceFile[] = rooms.flatMap((room) =>
  readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const text = readFileSync(join(root, room, name), 'utf8')
      return { path: join(room, name), text, code: withoutComments(text) }
    }),
)

/** Blanks out comments and keeps the lines. A URL in a string is no comment. */
function withoutComments(text: string): string {
  const blank = (comment: string) => comment.replace(/[^\n]/g, ' ')
  return text.replace(/\/\*[\s\S]*?\*\//g, blank).replace(/(^|\s)\/\/.*$/gm, blank)
}

function importsOf(file: SourceFile): string[] {
  return [...file.code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map((it) => it[1]!)
}

/** Where an import of ours leads, from the root; null for a package. */
function target(file: SourceFile, name: string): string | null {
  return name.startsWith('.')
    ? relative(root, resolve(root, dirname(file.path), name)).replace(/\.js$/, '.ts')
    : null
}

function isIn(path: string, room: string): boolean {
  return path.startsWith(`${room}/`)
}

/** `path:line` of every match in the code of the files. */
function findAll(pattern: RegExp, pick: (file: SourceFile) => string = (it) => it.code): string[] {
  return files.flatMap((file) =>
    pick(file)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file.path}:${index + 1}`] : [])),
  )
}

describe('imports', () => {
  it('go down only', () => {
    const wrong = files.flatMap((file) => {
      const room = Object.keys(mayImport)
        .filter((it) => isIn(file.path, it))
        .sort((a, b) => b.length - a.length)[0]
      const allowed = mayImport[room ?? ''] ?? []
      return importsOf(file).flatMap((name) => {
        const path = target(file, name)
        return path === null || allowed.some((it) => isIn(path, it))
          ? []
          : [`${file.path}: ${name}`]
      })
    })
    expect(wrong).toEqual([])
  })

  it('lead to a file, and end in .js', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file).flatMap((name) => {
        const path = target(file, name)
        const isFound = path === null || (name.endsWith('.js') && existsSync(join(root, path)))
        return isFound ? [] : [`${file.path}: ${name}`]
      }),
    )
    expect(wrong).toEqual([])
  })

  it('of a database or of Kysely stand in one room each', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file).flatMap((name) => {
        const room = Object.entries(roomOfPackage).find(
          ([it]) => name === it || name.startsWith(`${it}/`),
        )?.[1]
        return room === undefined || isIn(file.path, room) ? [] : [`${file.path}: ${name}`]
      }),
    )
    expect(wrong).toEqual([])
  })

  it('of packages are all declared', () => {
    const { dependencies, peerDependencies } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    ) as Record<'dependencies' | 'peerDependencies', Record<string, string>>
    const declared = new Set([...Object.keys(dependencies), ...Object.keys(peerDependencies)])
    const packages = files
      .flatMap(importsOf)
      .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
      .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
    expect(packages).not.toEqual([])
    expect([...new Set(packages)].filter((name) => !declared.has(name))).toEqual([])
    expect([...declared].filter((name) => !packages.includes(name))).toEqual([])
  })
})

describe('files', () => {
  it('have names in kebab-case', () => {
    const isKebab = (path: string) => /^[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(basename(path))
    expect(files.map((it) => it.path).filter((path) => !isKebab(path))).toEqual([])
  })

  it(`have at most ${linesMax} lines`, () => {
    const larger = files
      .filter((it) => it.text.trimEnd().split('\n').length > linesMax)
      .map((it) => it.path)
    expect(larger.filter((path) => !(path in mayBeLarger))).toEqual([])
    // Whatever has become small leaves the list.
    expect(Object.keys(mayBeLarger).filter((path) => !larger.includes(path))).toEqual([])
  })

  it('stand in rooms that say what they are for', () => {
    const folders = new Set([...rooms, ...files.map((it) => dirname(it.path))])
    const silent = [...folders].filter((folder) => {
      // The translator's rooms are small and are told of in one place.
      const isInner = isIn(folder, 'dialect/translate')
      const readme = join(root, isInner ? 'dialect/translate' : folder, 'README.md')
      const text = existsSync(readme) ? readFileSync(readme, 'utf8') : ''
      const [title = '', , sentence = ''] = text.split('\n')
      const isTold = !isInner || text.includes(`\`${basename(folder)}/\``)
      return !title.startsWith('# ') || sentence.length < 40 || !isTold
    })
    expect(silent).toEqual([])
  })
})

describe('code', () => {
  it('exports by name', () => {
    expect(findAll(/\bexport\s+default\b/)).toEqual([])
  })

  it('uses `any` only where Kysely itself does', () => {
    const used = files.flatMap((file) => {
      const lines = file.text.split('\n')
      return file.code
        .split('\n')
        .flatMap((line, index) =>
          /(?:[:<|,(]|\bas)\s*any\b(?!\s*['`(])/.test(line) &&
          !/biome-ignore lint\/suspicious\/noExplicitAny: \S/.test(lines[index - 1] ?? '')
            ? [`${file.path}:${index + 1}`]
            : [],
        )
    })
    expect(used).toEqual([])
  })

  it('is finished, and speaks to nobody on the console', () => {
    expect(findAll(/\b(?:TODO|FIXME|XXX|HACK)\b/, (it) => it.text)).toEqual([])
    expect(findAll(/\bconsole\s*\./)).toEqual([])
    expect(findAll(/\bdebugger\b/)).toEqual([])
  })

  it('silences the compiler nowhere', () => {
    expect(findAll(/@ts-(?:ignore|expect-error|nocheck)/, (it) => it.text)).toEqual([])
  })

  it('uses every bound that has a name', () => {
    const { code } = files.find((it) => it.path === 'src/core/limits.ts')!
    const names = [...code.matchAll(/^ {2}(\w+):/gm)].map((it) => it[1]!)
    expect(names.length).toBeGreaterThan(20)
    const all = files.map((it) => it.code).join('\n')
    expect(names.filter((name) => !all.includes(`limits.${name}`))).toEqual([])
  })
})

describe('the lock file', () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; optionalDependencies?: Record<string, string> }>
  }

  it('holds the packages of all platforms, without which npm ci refuses it on every one', () => {
    const missing = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies).filter(
        (name) => !Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`)),
      ),
    )
    expect(missing).toEqual([])
  })

  it('names no registry', () => {
    expect(Object.values(packages).filter((it) => 'resolved' in it)).toEqual([])
  })
})
