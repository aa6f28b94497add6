import { type DatabaseMetadataOptions, SqliteIntrospector, type TableMetadata } from 'kysely'

/** Every table of our own in the user's database begins so. */
const internalPrefix = '_htap_'

/** Kysely's introspector for SQLite without the tables that this package keeps for itself. */
export class HtapIntrospector extends SqliteIntrospector {
  override async getTables(options?: DatabaseMetadataOptions): Promise<TableMetadata[]> {
    const tables = await super.getTables(options)
    return tables.filter((table) => !table.name.startsWith(internalPrefix))
  }
}
