// Migrations of the tables `t` and `u`, as an application has them over the years.
import { sql } from 'kysely'

export const migrations = {
  '01_columns': {
    async up(db) {
      await db.schema
        .alterTable('t')
        .addColumn('note', 'text', (col) => col.notNull().defaultTo('none'))
        .execute()
      await db.schema.alterTable('t').dropColumn('c').execute()
      await db.schema.alterTable('u').renameColumn('n', 'amount').execute()
    },
  },
  '02_index_and_view': {
    async up(db) {
      await db.schema.createIndex('u_t').on('u').column('t_id').execute()
      await db.schema
        .createView('busy')
        .as(db.selectFrom('u').select('t_id').where('amount', '>', 100))
        .execute()
    },
  },
  '03_other_type': {
    async up(db) {
      await db.schema
        .createTable('t_new')
        .addColumn('id', 'integer', (col) => col.primaryKey())
        .addColumn('a', 'text')
        .addColumn('b', 'text')
        .addColumn('note', 'text')
        .execute()
      await db
        .insertInto('t_new')
        .columns(['id', 'a', 'b', 'note'])
        .expression(db.selectFrom('t').select(['id', sql`'a' || a`.as('a'), 'b', 'note']))
        .execute()
      await db.schema.dropTable('t').execute()
      await db.schema.alterTable('t_new').renameTo('t').execute()
      await db.updateTable('t').set({ note: 'first' }).where('id', '<', 10).execute()
    },
  },
  '04_new_table': {
    async up(db) {
      await db.schema
        .createTable('audit')
        .addColumn('id', 'integer', (col) => col.primaryKey().autoIncrement())
        .addColumn('t_id', 'integer', (col) => col.references('t.id').onDelete('cascade'))
        .execute()
      await db
        .insertInto('audit')
        .columns(['t_id'])
        .expression(db.selectFrom('t').select('id').where('id', '<=', 40))
        .execute()
      await db.schema.dropView('busy').execute()
    },
  },
}

/** Fails at its end. */
export const failing = {
  async up(db) {
    await db.schema.alterTable('t').addColumn('never', 'integer').execute()
    await db.deleteFrom('u').execute()
    await db.schema.dropTable('audit').execute()
    throw new Error('as it should')
  },
}
