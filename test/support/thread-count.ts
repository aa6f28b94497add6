/** How many worker threads this process has. */
export function threadCount(): number {
  const report = process.report.getReport() as { readonly workers: readonly unknown[] }
  return report.workers.length
}
