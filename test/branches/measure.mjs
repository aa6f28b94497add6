// Which branches of `sync/` and of the router the tests take, in all of their threads and processes
// (not in those that are killed):
//
//   npm run coverage:branches -- [--least 95] [--list] [test folders ...]
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { branchesOf } from './branches-of.mjs'

const rooms = ['sync/', 'dialect/router/']
const folders = [
  ...['consistency', 'crash', 'dialect', 'faults', 'history', 'limits', 'model'],
  ...['router', 'schema', 'security', 'sync', 'temporal', 'time'],
].map((name) => `test/${name}`)

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    least: { type: 'string', default: '95' },
    list: { type: 'boolean', default: false },
  },
})
const least = Number(options.least)

function run(args, environment = {}) {
  const { status } = spawnSync(process.execPath, args, {
    env: { ...process.env, ...environment },
    stdio: 'inherit',
  })
  if (status !== 0) {
    process.exit(status ?? 1)
  }
}

const folder = mkdtempSync(join(tmpdir(), 'kysely-htap-branches-'))
try {
  run([
    join('node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    'tsconfig.build.json',
    '--sourceMap',
  ])
  const tests = positionals.length === 0 ? folders : positionals
  const vitest = join('node_modules', 'vitest', 'vitest.mjs')
  run([vitest, 'run', ...tests], { NODE_V8_COVERAGE: folder })
  const branches = await branchesOf(folder, rooms)
  if (options.list) {
    for (const { file, line, text } of branches.filter((branch) => branch.count === 0)) {
      console.log(`${file}:${line}  ${text}`)
    }
  }
  let isEnough = true
  for (const room of rooms) {
    const inRoom = branches.filter((branch) => branch.file.startsWith(room))
    const taken = inRoom.filter((branch) => branch.count > 0)
    const percent = (100 * taken.length) / inRoom.length
    console.log(`${room} ${taken.length} of ${inRoom.length} branches, ${percent.toFixed(2)} %`)
    isEnough &&= percent >= least
  }
  process.exitCode = isEnough ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
