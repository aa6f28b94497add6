import { sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/sqlite'

const month = sql`strftime('%Y-%m', InvoiceDate)`

/** Sales of each month. */
const byMonth = (qb) =>
  qb
    .selectFrom('Invoice')
    .select((eb) => [
      month.as('month'),
      eb.fn.countAll().as('invoices'),
      eb.fn.sum('Total').as('sales'),
    ])
    .groupBy('month')

/** What the shop's owner asks about money. */
export const salesReports = [
  {
    name: 'sales by country',
    build: (db) =>
      db
        .selectFrom('Invoice')
        .select((eb) => [
          'BillingCountry',
          eb.fn.countAll().as('invoices'),
          eb.fn.count('CustomerId').distinct().as('customers'),
          eb.fn.sum('Total').as('sales'),
          sql`round(avg(Total), 2)`.as('average'),
        ])
        .groupBy('BillingCountry')
        .orderBy('sales', 'desc')
        .orderBy('BillingCountry'),
  },
  {
    name: 'sales by month',
    build: (db) => byMonth(db).orderBy('month'),
  },
  {
    name: 'sales by country and year, one column a year',
    build: (db) => {
      const ofYear = (eb, year) =>
        eb.fn
          .sum('Total')
          .filterWhere(sql`strftime('%Y', InvoiceDate)`, '=', String(year))
          .as(`sales_${year}`)
      return db
        .selectFrom('Invoice')
        .select((eb) => [
          'BillingCountry',
          ...[2021, 2022, 2023, 2024, 2025].map((year) => ofYear(eb, year)),
        ])
        .groupBy('BillingCountry')
        .orderBy('BillingCountry')
    },
  },
  {
    name: 'running total of a month and change to the one before',
    build: (db) =>
      db
        .with('monthly', byMonth)
        .selectFrom('monthly')
        .select((eb) => [
          'month',
          'sales',
          eb.fn
            .sum('sales')
            .over((over) => over.orderBy('month'))
            .as('running'),
          sql`sales - lag(sales) over (order by month)`.as('change'),
        ])
        .orderBy('month'),
  },
  {
    name: 'quarter against the same quarter of the year before',
    build: (db) =>
      db
        .with('quarterly', (qb) =>
          qb
            .selectFrom('Invoice')
            .select((eb) => [
              sql`cast(strftime('%Y', InvoiceDate) as integer)`.as('year'),
              sql`(cast(strftime('%m', InvoiceDate) as integer) + 2) / 3`.as('quarter'),
              eb.fn.sum('Total').as('sales'),
            ])
            .groupBy(['year', 'quarter']),
        )
        .selectFrom('quarterly as now')
        .leftJoin('quarterly as before', (join) =>
          join.on(sql`before.year = now.year - 1`).onRef('before.quarter', '=', 'now.quarter'),
        )
        .select(['now.year', 'now.quarter', 'now.sales', 'before.sales as before'])
        .orderBy('now.year')
        .orderBy('now.quarter'),
  },
  {
    name: 'best month of each year',
    build: (db) =>
      db
        .selectFrom((eb) =>
          byMonth(eb)
            .select(
              sql`row_number() over (
              partition by substr(strftime('%Y-%m', InvoiceDate), 1, 4)
              order by sum(Total) desc, strftime('%Y-%m', InvoiceDate))`.as('place'),
            )
            .as('ranked'),
        )
        .select(['month', 'sales'])
        .where('place', '=', 1)
        .orderBy('month'),
  },
  {
    name: 'sales by weekday',
    build: (db) =>
      db
        .selectFrom('Invoice')
        .select((eb) => [
          sql`case cast(strftime('%w', InvoiceDate) as integer) when 0 then 'Sunday'
            when 6 then 'Saturday' else 'weekday' end`.as('day'),
          eb.fn.countAll().as('invoices'),
          eb.fn.sum('Total').as('sales'),
        ])
        .groupBy('day')
        .orderBy('sales', 'desc'),
  },
  {
    name: 'top tracks by quantity sold',
    build: (db) =>
      db
        .selectFrom('InvoiceLine')
        .innerJoin('Track', 'Track.TrackId', 'InvoiceLine.TrackId')
        .innerJoin('Album', 'Album.AlbumId', 'Track.AlbumId')
        .innerJoin('Artist', 'Artist.ArtistId', 'Album.ArtistId')
        .select((eb) => [
          'Track.TrackId',
          'Track.Name as track',
          'Artist.Name as artist',
          eb.fn.sum('InvoiceLine.Quantity').as('sold'),
        ])
        .groupBy('Track.TrackId')
        .orderBy('sold', 'desc')
        .orderBy('Track.TrackId')
        .limit(20),
  },
  {
    name: 'revenue and share of each genre',
    build: (db) =>
      db
        .selectFrom('InvoiceLine as line')
        .innerJoin('Track', 'Track.TrackId', 'line.TrackId')
        .innerJoin('Genre', 'Genre.GenreId', 'Track.GenreId')
        .select([
          'Genre.Name as genre',
          sql`sum(line.UnitPrice * line.Quantity)`.as('revenue'),
          sql`round(100.0 * sum(line.UnitPrice * line.Quantity)
            / sum(sum(line.UnitPrice * line.Quantity)) over (), 1)`.as('share'),
        ])
        .groupBy('Genre.GenreId')
        .groupBy('Genre.Name')
        .orderBy('revenue', 'desc')
        .orderBy('genre'),
  },
  {
    name: 'invoices with their lines',
    build: (db) =>
      db
        .selectFrom('Invoice')
        .innerJoin('Customer', 'Customer.CustomerId', 'Invoice.CustomerId')
        .select((eb) => [
          'Invoice.InvoiceId',
          'Invoice.InvoiceDate',
          sql`FirstName || ' ' || LastName`.as('customer'),
          jsonArrayFrom(
            eb
              .selectFrom('InvoiceLine as line')
              .innerJoin('Track', 'Track.TrackId', 'line.TrackId')
              .select(['Track.Name as track', 'line.UnitPrice as price', 'line.Quantity'])
              .whereRef('line.InvoiceId', '=', 'Invoice.InvoiceId')
              .orderBy('line.InvoiceLineId'),
          ).as('lines'),
        ])
        .where('Invoice.InvoiceDate', '>=', '2024-01-01')
        .orderBy('Invoice.InvoiceId'),
  },
  {
    name: 'invoices that are the sum of their lines',
    build: (db) =>
      db
        .selectFrom('Invoice')
        .leftJoin('InvoiceLine as line', 'line.InvoiceId', 'Invoice.InvoiceId')
        .select((eb) => [
          eb.fn.countAll().as('lines'),
          'Invoice.InvoiceId',
          'Invoice.Total',
          sql`round(sum(line.UnitPrice * line.Quantity), 2)`.as('added'),
        ])
        .groupBy(['Invoice.InvoiceId', 'Invoice.Total'])
        .having(sql`abs(sum(line.UnitPrice * line.Quantity) - Invoice.Total) < 0.005`)
        .orderBy('Invoice.InvoiceId')
        .limit(50),
  },
]
