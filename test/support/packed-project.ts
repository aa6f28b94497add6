import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Makes `folder` a project that has this package installed as npm would unpack it, next to links
 * of everything that is installed here. Needs no network.
 *
 * @returns the folder of the unpacked package
 */
export function installPacked(folder: string): string {
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, 'kysely-htap'), { recursive: true })
  for (const name of installedPackages()) {
    mkdirSync(join(modules, name, '..'), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  // Without scripts: they would build, and remove what other tests are running.
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ) as { filename: string }[]
  const archive = join(folder, packed!.filename)
  const installed = join(modules, 'kysely-htap')
  execFileSync('tar', ['-xzf', archive, '-C', installed, '--strip-components=1'])
  rmSync(archive)
  return installed
}

function installedPackages(): string[] {
  const modules = join(root, 'node_modules')
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.') && name !== 'kysely-htap')
    .flatMap((name) =>
      name.startsWith('@')
        ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`)
        : [name],
    )
}

/** Whether a package is installed here, for tests that can do without. */
export function isInstalled(name: string): boolean {
  return existsSync(join(root, 'node_modules', name, 'package.json'))
}
