import { sql } from 'kysely'

const day = sql`substr(flight.departure, 1, 10)`
const hour = sql`substr(flight.departure, 12, 2)`

/** Flights and their delays by day. */
const byDay = (qb) =>
  qb
    .selectFrom('flight')
    .select((eb) => [day.as('day'), eb.fn.countAll().as('flights'), eb.fn.sum('delay').as('delay')])
    .groupBy('day')

/** What an operations desk asks: each query with the engine that should answer it. */
export const queries = Object.freeze([
  {
    name: 'totals of all flights',
    engine: 'duckdb',
    build: (db) =>
      db
        .selectFrom('flight')
        .select((eb) => [
          eb.fn.countAll().as('flights'),
          eb.fn.sum('distance').as('miles'),
          eb.fn.avg('delay').as('delay'),
          eb.fn.min('delay').as('earliest'),
          eb.fn.max('delay').as('latest'),
        ]),
  },
  {
    name: 'busiest airports, joined',
    engine: 'duckdb',
    build: (db) =>
      db
        .selectFrom('flight')
        .innerJoin('airport', 'airport.iata', 'flight.origin')
        .select((eb) => [
          'airport.iata',
          'airport.city',
          eb.fn.countAll().as('flights'),
          eb.fn.avg('flight.delay').as('delay'),
        ])
        .groupBy(['airport.iata', 'airport.city'])
        .orderBy('flights', 'desc')
        .orderBy('airport.iata')
        .limit(10),
  },
  {
    name: 'delay by hour of departure',
    engine: 'duckdb',
    build: (db) =>
      db
        .selectFrom('flight')
        .select((eb) => [
          hour.as('hour'),
          eb.fn.countAll().as('flights'),
          eb.fn.countAll().filterWhere('delay', '>', 15).as('late'),
          eb.fn.avg('delay').as('delay'),
        ])
        .groupBy('hour')
        .orderBy('hour'),
  },
  {
    name: 'miles between states',
    engine: 'duckdb',
    build: (db) =>
      db
        .selectFrom('flight')
        .innerJoin('airport as a', 'a.iata', 'flight.origin')
        .innerJoin('airport as b', 'b.iata', 'flight.destination')
        .select((eb) => ['a.state as from', 'b.state as to', eb.fn.sum('distance').as('miles')])
        .groupBy(['a.state', 'b.state'])
        .orderBy('miles', 'desc')
        .orderBy('from')
        .orderBy('to')
        .limit(20),
  },
  {
    name: 'three worst days per airport',
    engine: 'duckdb',
    build: (db) =>
      db
        .with('daily', (qb) =>
          qb
            .selectFrom('flight')
            .select((eb) => ['origin', day.as('day'), eb.fn.sum('delay').as('delay')])
            .groupBy(['origin', 'day']),
        )
        .with('ranked', (qb) =>
          qb
            .selectFrom('daily')
            .selectAll()
            .select((eb) =>
              eb.fn
                .agg('rank')
                .over((over) => over.partitionBy('origin').orderBy('delay', 'desc').orderBy('day'))
                .as('place'),
            ),
        )
        .selectFrom('ranked')
        .select(['origin', 'place', 'day', 'delay'])
        .where('place', '<=', 3)
        .orderBy('origin')
        .orderBy('place')
        .orderBy('day')
        .orderBy('delay'),
  },
  {
    name: 'week up to each day',
    engine: 'duckdb',
    build: (db) =>
      db
        .with('daily', byDay)
        .selectFrom('daily')
        .select([
          'day',
          'flights',
          sql`sum(flights) over (order by day rows between 6 preceding and current row)`.as('week'),
          sql`flights - lag(flights) over (order by day)`.as('change'),
        ])
        .orderBy('day'),
  },
  {
    name: 'distinct routes by state',
    engine: 'duckdb',
    build: (db) =>
      db
        .selectFrom((eb) =>
          eb.selectFrom('flight').select(['origin', 'destination']).distinct().as('route'),
        )
        .innerJoin('airport', 'airport.iata', 'route.origin')
        .select((eb) => ['airport.state', eb.fn.countAll().as('routes')])
        .groupBy('airport.state')
        .orderBy('routes', 'desc')
        .orderBy('airport.state'),
  },
  {
    name: 'late routes (having)',
    engine: 'duckdb',
    build: (db) =>
      db
        .selectFrom('flight')
        .select((eb) => [
          'origin',
          'destination',
          eb.fn.countAll().as('flights'),
          eb.fn.avg('delay').as('delay'),
        ])
        .groupBy(['origin', 'destination'])
        .having((eb) => eb.fn.countAll(), '>', 500)
        .having((eb) => eb.fn.avg('delay'), '>', 15)
        .orderBy('delay', 'desc')
        .orderBy('origin')
        .orderBy('destination'),
  },
  {
    name: 'flights above average delay (subquery)',
    engine: 'duckdb',
    build: (db) =>
      db
        .selectFrom('flight')
        .select((eb) => ['origin', eb.fn.countAll().as('flights')])
        .where('delay', '>', (eb) =>
          eb.selectFrom('flight').select((all) => all.fn.avg('delay').as('delay')),
        )
        .groupBy('origin')
        .orderBy('flights', 'desc')
        .orderBy('origin')
        .limit(15),
  },
  {
    name: 'long and short hauls (set operation)',
    engine: 'duckdb',
    build: (db) =>
      db
        .selectFrom('flight')
        .select('origin')
        .where('distance', '>', 2000)
        .intersect(db.selectFrom('flight').select('origin').where('distance', '<', 100))
        .except(db.selectFrom('airport').select('iata').where('state', '=', 'CA')),
  },
  {
    name: 'cities like San %',
    engine: 'duckdb',
    build: (db) =>
      db
        .selectFrom('flight')
        .innerJoin('airport', 'airport.iata', 'flight.destination')
        .select((eb) => [
          'airport.city',
          eb.fn.countAll().as('flights'),
          eb.fn.max('delay').as('latest'),
        ])
        .where('airport.city', 'like', 'San %')
        .groupBy('airport.city')
        .orderBy('airport.city'),
  },
  {
    name: 'centre of all traffic (float sums)',
    engine: 'duckdb',
    build: (db) =>
      db
        .selectFrom('flight')
        .innerJoin('airport', 'airport.iata', 'flight.origin')
        .select((eb) => [
          eb.fn.avg('airport.latitude').as('latitude'),
          eb.fn.avg('airport.longitude').as('longitude'),
          eb.fn.sum('airport.latitude').as('total'),
        ]),
  },
  {
    name: 'one flight by its key',
    engine: 'sqlite',
    build: (db) => db.selectFrom('flight').selectAll().where('id', '=', 4711),
  },
  {
    name: 'one flight and its airports',
    engine: 'sqlite',
    build: (db) =>
      db
        .selectFrom('flight')
        .innerJoin('airport as a', 'a.iata', 'flight.origin')
        .innerJoin('airport as b', 'b.iata', 'flight.destination')
        .select(['flight.id', 'flight.departure', 'a.city as from', 'b.city as to'])
        .where('flight.id', '=', 4711),
  },
  {
    name: 'next departures (indexed search)',
    engine: 'sqlite',
    build: (db) =>
      db
        .selectFrom('flight')
        .select(['id', 'departure', 'origin', 'destination'])
        .where('departure', '>=', '2001-03-01 08:00')
        .orderBy('departure')
        .orderBy('id')
        .limit(20),
  },
])
