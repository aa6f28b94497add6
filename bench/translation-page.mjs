// Writes the list of translation rules, docs/rules.md: `npm run docs:rules`; with `--check` it only
// tells whether the page is up to date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ruleTable } from '../dist/dialect/translate/rules/rule-table.js'

const page = fileURLToPath(new URL('../docs/rules.md', import.meta.url))

const titles = {
  operator: 'Operators',
  comparison: 'Comparisons',
  pattern: 'Patterns',
  cast: 'Casts',
  function: 'Scalar functions',
  aggregate: 'Aggregates, also over windows',
  window: 'Window functions',
}

const wanted = `# Rules of the translation

Made by \`npm run docs:rules\` from the table in \`dialect/translate/rules/rule-table.ts\`; [translation](translation.md) says how to read it.

${Object.entries(titles).map(section).join('\n\n')}
`
if (process.argv.includes('--check')) {
  process.exitCode = existsSync(page) && readFileSync(page, 'utf8') === wanted ? 0 : 1
} else {
  writeFileSync(page, wanted)
}

function section([kind, title]) {
  const rules = ruleTable.filter((rule) => rule.kind === kind)
  const head = ['SQLite', 'Operands', 'In DuckDB', 'Stays on SQLite']
  const rows = rules.map((rule) => [
    code(rule.name),
    rule.operands === '' ? '' : code(rule.operands),
    code(rule.form),
    rule.guard ?? '',
  ])
  return [`### ${title}`, '', row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')
}

function row(cells) {
  return `| ${cells.join(' | ')} |`
}

/** A bar would end the cell. */
function code(text) {
  return `\`${text.replaceAll('|', '\\|')}\``
}
