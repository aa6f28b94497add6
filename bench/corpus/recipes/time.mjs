import { sql } from 'kysely'

const inYear = (year) => (qb) =>
  qb
    .selectFrom('visit')
    .select((eb) => [
      sql`cast(strftime('%m', visited_at) as integer)`.as('month'),
      eb.fn.sum('cost').as('cost'),
    ])
    .where('visited_at', '>=', `${year}-01-01`)
    .where('visited_at', '<', `${year + 1}-01-01`)
    .groupBy('month')

export const time = [
  {
    name: 'visits by day',
    build: (db) =>
      db
        .selectFrom('visit')
        .select((eb) => [sql`date(visited_at)`.as('day'), eb.fn.countAll().as('visits')])
        .where('visited_at', '>=', '2024-10-01')
        .groupBy('day')
        .orderBy('day'),
  },
  {
    name: 'visits by month',
    build: (db) =>
      db
        .selectFrom('visit')
        .select((eb) => [
          sql`strftime('%Y-%m', visited_at)`.as('month'),
          eb.fn.countAll().as('visits'),
          eb.fn.sum('cost').as('cost'),
        ])
        .groupBy(sql`strftime('%Y-%m', visited_at)`)
        .orderBy('month'),
  },
  {
    name: 'visits by start of week',
    build: (db) =>
      db
        .selectFrom('visit')
        .select((eb) => [
          sql`date(visited_at, 'weekday 0', '-6 days')`.as('week'),
          eb.fn.countAll().as('visits'),
        ])
        .groupBy('week')
        .orderBy('week', 'desc')
        .limit(12),
  },
  {
    name: 'visits by hour and weekday',
    build: (db) =>
      db
        .selectFrom('visit')
        .select((eb) => [
          sql`strftime('%w', visited_at)`.as('weekday'),
          sql`strftime('%H', visited_at)`.as('hour'),
          eb.fn.countAll().as('visits'),
        ])
        .groupBy(['weekday', 'hour'])
        .orderBy('weekday')
        .orderBy('hour'),
  },
  {
    name: 'days without a gap (recursive calendar)',
    build: (db) =>
      db
        .withRecursive('calendar', (qb) =>
          qb
            .selectNoFrom(sql`'2024-06-01'`.as('day'))
            .unionAll(
              qb
                .selectFrom('calendar')
                .select(sql`date(day, '+1 day')`.as('day'))
                .where('day', '<', '2024-06-30'),
            ),
        )
        .selectFrom('calendar')
        .leftJoin('visit', (join) => join.on(sql`date(visit.visited_at) = calendar.day`))
        .select((eb) => ['calendar.day', eb.fn.count('visit.id').as('visits')])
        .groupBy('calendar.day')
        .orderBy('calendar.day'),
  },
  {
    name: 'not seen for thirty days',
    build: (db) =>
      db
        .selectFrom('person')
        .select((eb) => ['is_active', eb.fn.countAll().as('people')])
        .where('last_seen_at', '<', sql`date('now', '-30 days')`)
        .groupBy('is_active')
        .orderBy('is_active'),
  },
  {
    name: 'signed up within a year before a day',
    build: (db) =>
      db
        .selectFrom('person')
        .select((eb) => [
          sql`strftime('%Y-%m', created_at)`.as('month'),
          eb.fn.countAll().as('people'),
        ])
        .where('created_at', '>=', sql`datetime(${'2024-12-31'}, '-1 year', 'start of month')`)
        .groupBy('month')
        .orderBy('month'),
  },
  {
    name: 'age in years',
    build: (db) =>
      db
        .selectFrom('person')
        .select((eb) => [
          sql`(strftime('%Y', 'now') - strftime('%Y', birth_date)) / 10 * 10`.as('decade'),
          eb.fn.countAll().as('people'),
        ])
        .where('birth_date', 'is not', null)
        .groupBy('decade')
        .orderBy('decade'),
  },
  {
    name: 'days until payment',
    build: (db) =>
      db
        .selectFrom('visit')
        .select((eb) => [
          'vet_id',
          eb.fn
            .avg(sql`(paid_at - cast(strftime('%s', visited_at) as integer)) / 86400.0`)
            .as('days'),
          sql`max(julianday(paid_at, 'unixepoch') - julianday(visited_at))`.as('longest'),
        ])
        .where('paid_at', 'is not', null)
        .groupBy('vet_id')
        .orderBy('vet_id'),
  },
  {
    name: 'payments by month, from seconds',
    build: (db) =>
      db
        .selectFrom('visit')
        .select((eb) => [
          sql`strftime('%Y-%m', paid_at, 'unixepoch')`.as('month'),
          eb.fn.sum('cost').as('paid'),
        ])
        .where('paid_at', 'is not', null)
        .groupBy('month')
        .orderBy('month', 'desc')
        .limit(12),
  },
  {
    name: 'month against the year before',
    build: (db) =>
      db
        .with('this_year', inYear(2024))
        .with('last_year', inYear(2023))
        .selectFrom('this_year')
        .leftJoin('last_year', 'last_year.month', 'this_year.month')
        .select([
          'this_year.month',
          'this_year.cost',
          'last_year.cost as before',
          sql`round(100.0 * (this_year.cost - last_year.cost) / last_year.cost, 1)`.as('growth'),
        ])
        .orderBy('this_year.month'),
  },
  {
    name: 'latest visits of a pet',
    build: (db) =>
      db
        .selectFrom('visit')
        .select(['visited_at', 'reason', 'cost'])
        .where('pet_id', '=', 12)
        .orderBy('visited_at', 'desc')
        .limit(5),
  },
]
