import { sql } from 'kysely'
import { jsonArrayFrom, jsonObjectFrom } from 'kysely/helpers/sqlite'

const fullName = sql`Customer.FirstName || ' ' || Customer.LastName`

/** What sales and support ask about people. */
export const customerReports = [
  {
    name: 'top customers',
    build: (db) =>
      db
        .selectFrom('Customer')
        .innerJoin('Invoice', 'Invoice.CustomerId', 'Customer.CustomerId')
        .select((eb) => [
          'Customer.CustomerId',
          fullName.as('customer'),
          eb.fn.sum('Invoice.Total').as('spent'),
          eb.fn.max('Invoice.InvoiceDate').as('last'),
        ])
        .groupBy('Customer.CustomerId')
        .orderBy('spent', 'desc')
        .orderBy('Customer.CustomerId')
        .limit(10),
  },
  {
    name: 'best customer of each country, ties included',
    build: (db) =>
      db
        .with('spending', (qb) =>
          qb
            .selectFrom('Customer')
            .innerJoin('Invoice', 'Invoice.CustomerId', 'Customer.CustomerId')
            .select((eb) => [
              'Customer.CustomerId',
              'Customer.Country',
              eb.fn.sum('Invoice.Total').as('spent'),
            ])
            .groupBy(['Customer.CustomerId', 'Customer.Country']),
        )
        .with('ranked', (qb) =>
          qb
            .selectFrom('spending')
            .selectAll()
            .select((eb) =>
              eb.fn
                .agg('dense_rank')
                .over((over) => over.partitionBy('Country').orderBy('spent', 'desc'))
                .as('place'),
            ),
        )
        .selectFrom('ranked')
        .select(['Country', 'CustomerId', 'spent'])
        .where('place', '=', 1)
        .orderBy('Country')
        .orderBy('CustomerId'),
  },
  {
    name: 'support representatives and what their customers bought',
    build: (db) =>
      db
        .selectFrom('Employee')
        .leftJoin('Customer', 'Customer.SupportRepId', 'Employee.EmployeeId')
        .leftJoin('Invoice', 'Invoice.CustomerId', 'Customer.CustomerId')
        .select((eb) => [
          'Employee.EmployeeId',
          sql`Employee.FirstName || ' ' || Employee.LastName`.as('employee'),
          eb.fn.count('Customer.CustomerId').distinct().as('customers'),
          eb.fn.coalesce(eb.fn.sum('Invoice.Total'), sql`0`).as('sales'),
        ])
        .groupBy('Employee.EmployeeId')
        .orderBy('sales', 'desc')
        .orderBy('Employee.EmployeeId'),
  },
  {
    name: 'cohorts by month of the first invoice',
    build: (db) =>
      db
        .with('cohort', (qb) =>
          qb
            .selectFrom('Invoice')
            .select((eb) => [
              'CustomerId',
              sql`strftime('%Y-%m', ${eb.fn.min('InvoiceDate')})`.as('month'),
            ])
            .groupBy('CustomerId'),
        )
        .selectFrom('cohort')
        .innerJoin('Invoice', 'Invoice.CustomerId', 'cohort.CustomerId')
        .select((eb) => [
          'cohort.month',
          sql`strftime('%Y', Invoice.InvoiceDate)`.as('year'),
          eb.fn.count('Invoice.CustomerId').distinct().as('customers'),
          eb.fn.sum('Invoice.Total').as('sales'),
        ])
        .groupBy(['cohort.month', 'year'])
        .orderBy('cohort.month')
        .orderBy('year'),
  },
  {
    name: 'latest invoice of each customer (bare columns)',
    build: (db) =>
      db
        .selectFrom('Invoice')
        .select((eb) => ['CustomerId', eb.fn.max('InvoiceDate').as('latest'), 'InvoiceId', 'Total'])
        .groupBy('CustomerId')
        .orderBy('CustomerId'),
  },
  {
    name: 'latest invoice of each customer (window)',
    build: (db) =>
      db
        .selectFrom((eb) =>
          eb
            .selectFrom('Invoice')
            .select((inner) => [
              'CustomerId',
              'InvoiceId',
              'InvoiceDate',
              'Total',
              inner.fn
                .agg('row_number')
                .over((over) =>
                  over
                    .partitionBy('CustomerId')
                    .orderBy('InvoiceDate', 'desc')
                    .orderBy('InvoiceId', 'desc'),
                )
                .as('nth'),
            ])
            .as('invoice'),
        )
        .select(['CustomerId', 'InvoiceId', 'InvoiceDate', 'Total'])
        .where('nth', '=', 1)
        .orderBy('CustomerId'),
  },
  {
    name: 'days between the invoices of a customer',
    build: (db) =>
      db
        .selectFrom((eb) =>
          eb
            .selectFrom('Invoice')
            .select([
              'CustomerId',
              sql`julianday(InvoiceDate) - julianday(lag(InvoiceDate) over (
                partition by CustomerId order by InvoiceDate, InvoiceId))`.as('days'),
            ])
            .as('gap'),
        )
        .select((eb) => [
          'CustomerId',
          eb.fn.avg('days').as('average'),
          eb.fn.max('days').as('longest'),
        ])
        .where('days', 'is not', null)
        .groupBy('CustomerId')
        .orderBy('CustomerId'),
  },
  {
    name: 'customers who never bought jazz',
    build: (db) =>
      db
        .selectFrom('Customer')
        .select(['CustomerId', fullName.as('customer'), 'Email'])
        .where((eb) =>
          eb.not(
            eb.exists(
              eb
                .selectFrom('Invoice')
                .innerJoin('InvoiceLine as line', 'line.InvoiceId', 'Invoice.InvoiceId')
                .innerJoin('Track', 'Track.TrackId', 'line.TrackId')
                .innerJoin('Genre', 'Genre.GenreId', 'Track.GenreId')
                .select('Invoice.InvoiceId')
                .whereRef('Invoice.CustomerId', '=', 'Customer.CustomerId')
                .where('Genre.Name', '=', 'Jazz'),
            ),
          ),
        )
        .orderBy('CustomerId'),
  },
  {
    name: 'customers in quartiles of spending',
    build: (db) =>
      db
        .selectFrom((eb) =>
          eb
            .selectFrom('Invoice')
            .select([
              'CustomerId',
              sql`ntile(4) over (order by sum(Total), CustomerId)`.as('quartile'),
            ])
            .select((inner) => inner.fn.sum('Total').as('spent'))
            .groupBy('CustomerId')
            .as('spending'),
        )
        .select((eb) => [
          'quartile',
          eb.fn.countAll().as('customers'),
          eb.fn.min('spent').as('least'),
          eb.fn.max('spent').as('most'),
        ])
        .groupBy('quartile')
        .orderBy('quartile'),
  },
  {
    name: 'customers with their representative and invoices as JSON',
    build: (db) =>
      db
        .selectFrom('Customer')
        .select((eb) => [
          'Customer.CustomerId',
          jsonObjectFrom(
            eb
              .selectFrom('Employee')
              .select(['Employee.FirstName', 'Employee.Title'])
              .whereRef('Employee.EmployeeId', '=', 'Customer.SupportRepId'),
          ).as('representative'),
          jsonArrayFrom(
            eb
              .selectFrom('Invoice')
              .select(['Invoice.InvoiceId', 'Invoice.Total'])
              .whereRef('Invoice.CustomerId', '=', 'Customer.CustomerId')
              .orderBy('Invoice.InvoiceId'),
          ).as('invoices'),
        ])
        .where('Customer.Country', '=', 'Canada')
        .orderBy('Customer.CustomerId'),
  },
  {
    name: 'who reports to whom, level by level',
    build: (db) =>
      db
        .withRecursive('chart', (qb) =>
          qb
            .selectFrom('Employee')
            .select(['EmployeeId', 'LastName', sql`0`.as('level'), sql`LastName`.as('path')])
            .where('ReportsTo', 'is', null)
            .unionAll(
              qb
                .selectFrom('Employee as report')
                .innerJoin('chart', 'chart.EmployeeId', 'report.ReportsTo')
                .select([
                  'report.EmployeeId',
                  'report.LastName',
                  sql`chart.level + 1`.as('level'),
                  sql`chart.path || ' > ' || report.LastName`.as('path'),
                ]),
            ),
        )
        .selectFrom('chart')
        .selectAll()
        .orderBy('path'),
  },
  {
    name: 'one customer by key',
    build: (db) => db.selectFrom('Customer').selectAll().where('CustomerId', '=', 23),
  },
]
