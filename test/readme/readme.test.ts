import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { expect, it, onTestFinished } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

// Inside the package, so that its own name resolves to the built code, as for a user.
it('should compile and run the complete example of the README', () => {
  mkdirSync(join(root, '.data'), { recursive: true })
  const folder = mkdtempSync(join(root, '.data', 'readme-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const example = /## A complete example\n\n```ts\n([\s\S]*?)```/.exec(readme)?.[1]
  expect(example).toBeDefined()
  writeFileSync(join(folder, 'example.ts'), example ?? '')
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.json',
      compilerOptions: { noEmit: false },
      include: ['*.ts'],
    }),
  )
  const database = new Database(join(folder, 'shop.db'))
  database.exec(`create table person(id integer primary key, name text not null);
    create table sale(id integer primary key, person_id integer, amount real);
    insert into person values (1, 'Ada')`)
  database.close()

  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  execFileSync(process.execPath, [tsc, '-p', folder], { stdio: 'pipe' })
  const output = execFileSync(process.execPath, ['example.js'], { cwd: folder, encoding: 'utf8' })
  expect(output).toContain('sqlite no analytic query')
  expect(output).toContain("{ name: 'Ada', total: 9.5 }")
})
