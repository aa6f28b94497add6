import { sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/sqlite'

/** What the music pages and their editors ask. */
export const catalogueReports = [
  {
    name: 'playlists with counts and length',
    build: (db) =>
      db
        .selectFrom('Playlist')
        .leftJoin('PlaylistTrack as entry', 'entry.PlaylistId', 'Playlist.PlaylistId')
        .leftJoin('Track', 'Track.TrackId', 'entry.TrackId')
        .select((eb) => [
          'Playlist.PlaylistId',
          'Playlist.Name',
          eb.fn.count('Track.TrackId').as('tracks'),
          sql`coalesce(sum(Track.Milliseconds), 0) / 60000`.as('minutes'),
        ])
        .groupBy(['Playlist.PlaylistId', 'Playlist.Name'])
        .orderBy('tracks', 'desc')
        .orderBy('Playlist.PlaylistId'),
  },
  {
    name: 'albums with their tracks in one text',
    build: (db) =>
      db
        .selectFrom('Album')
        .innerJoin('Track', 'Track.AlbumId', 'Album.AlbumId')
        .select(['Album.AlbumId', 'Album.Title', sql`group_concat(Track.Name, '; ')`.as('tracks')])
        .groupBy('Album.AlbumId')
        .orderBy('Album.AlbumId')
        .limit(50),
  },
  {
    name: 'rank of albums by length for each artist',
    build: (db) =>
      db
        .with('length', (qb) =>
          qb
            .selectFrom('Album')
            .innerJoin('Track', 'Track.AlbumId', 'Album.AlbumId')
            .select((eb) => [
              'Album.AlbumId',
              'Album.ArtistId',
              'Album.Title',
              eb.fn.sum('Track.Milliseconds').as('ms'),
            ])
            .groupBy(['Album.AlbumId', 'Album.ArtistId', 'Album.Title']),
        )
        .selectFrom('length')
        .innerJoin('Artist', 'Artist.ArtistId', 'length.ArtistId')
        .select((eb) => [
          'Artist.Name as artist',
          'length.Title as album',
          'length.ms',
          eb.fn
            .agg('rank')
            .over((over) => over.partitionBy('length.ArtistId').orderBy('length.ms', 'desc'))
            .as('place'),
        ])
        .orderBy('Artist.Name')
        .orderBy('place')
        .orderBy('length.AlbumId'),
  },
  {
    name: 'two longest tracks of each genre',
    build: (db) =>
      db
        .selectFrom((eb) =>
          eb
            .selectFrom('Track')
            .innerJoin('Genre', 'Genre.GenreId', 'Track.GenreId')
            .select((inner) => [
              'Genre.Name as genre',
              'Track.Name as track',
              'Track.Milliseconds as ms',
              inner.fn
                .agg('row_number')
                .over((over) =>
                  over
                    .partitionBy('Track.GenreId')
                    .orderBy('Track.Milliseconds', 'desc')
                    .orderBy('Track.TrackId'),
                )
                .as('place'),
            ])
            .as('ranked'),
        )
        .selectAll()
        .where('place', '<=', 2)
        .orderBy('genre')
        .orderBy('place'),
  },
  {
    name: 'artists with albums as JSON',
    build: (db) =>
      db
        .selectFrom('Artist')
        .select((eb) => [
          'Artist.ArtistId',
          'Artist.Name',
          jsonArrayFrom(
            eb
              .selectFrom('Album')
              .select((inner) => [
                'Album.AlbumId as id',
                'Album.Title as title',
                inner
                  .selectFrom('Track')
                  .select((count) => count.fn.countAll().as('count'))
                  .whereRef('Track.AlbumId', '=', 'Album.AlbumId')
                  .as('tracks'),
              ])
              .whereRef('Album.ArtistId', '=', 'Artist.ArtistId')
              .orderBy('Album.Title'),
          ).as('albums'),
        ])
        .orderBy('Artist.Name')
        .orderBy('Artist.ArtistId')
        .limit(40),
  },
  {
    name: 'search for tracks',
    build: (db) =>
      db
        .selectFrom('Track')
        .innerJoin('Album', 'Album.AlbumId', 'Track.AlbumId')
        .innerJoin('Artist', 'Artist.ArtistId', 'Album.ArtistId')
        .select(['Track.TrackId', 'Track.Name as track', 'Artist.Name as artist'])
        .where((eb) =>
          eb.or(
            ['Track.Name', 'Album.Title', 'Artist.Name'].map((column) =>
              eb(eb.fn('lower', [column]), 'like', '%love%'),
            ),
          ),
        )
        .orderBy('Track.Name')
        .orderBy('Track.TrackId')
        .limit(25)
        .offset(25),
  },
  {
    name: 'tracks longer than the average of their genre',
    build: (db) =>
      db
        .selectFrom('Track as t')
        .select(['t.TrackId', 't.Name', 't.Milliseconds'])
        .where('t.Milliseconds', '>', (eb) =>
          eb
            .selectFrom('Track as same')
            .select(sql`2 * avg(same.Milliseconds)`.as('long'))
            .whereRef('same.GenreId', '=', 't.GenreId'),
        )
        .orderBy('t.Milliseconds', 'desc')
        .orderBy('t.TrackId')
        .limit(30),
  },
  {
    name: 'tracks that were never sold, by media type',
    build: (db) =>
      db
        .selectFrom('Track')
        .innerJoin('MediaType', 'MediaType.MediaTypeId', 'Track.MediaTypeId')
        .leftJoin('InvoiceLine as line', 'line.TrackId', 'Track.TrackId')
        .select((eb) => ['MediaType.Name as type', eb.fn.countAll().as('tracks')])
        .where('line.InvoiceLineId', 'is', null)
        .groupBy('MediaType.MediaTypeId')
        .orderBy('tracks', 'desc')
        .orderBy('type'),
  },
  {
    name: 'artists on several playlists and in several genres',
    build: (db) =>
      db
        .selectFrom('PlaylistTrack as entry')
        .innerJoin('Track', 'Track.TrackId', 'entry.TrackId')
        .innerJoin('Album', 'Album.AlbumId', 'Track.AlbumId')
        .innerJoin('Artist', 'Artist.ArtistId', 'Album.ArtistId')
        .select((eb) => [
          'Artist.Name as artist',
          eb.fn.count('entry.PlaylistId').distinct().as('playlists'),
          eb.fn.count('Track.GenreId').distinct().as('genres'),
        ])
        .groupBy(['Artist.ArtistId', 'Artist.Name'])
        .having((eb) => eb.fn.count('Track.GenreId').distinct(), '>', 1)
        .orderBy('playlists', 'desc')
        .orderBy('artist'),
  },
  {
    name: 'composers and artists in one list',
    build: (db) =>
      db
        .selectFrom('Artist')
        .select(['Name as name', sql.lit('artist').as('role')])
        .where('Name', 'like', 'B%')
        .union(
          db
            .selectFrom('Track')
            .select(['Composer as name', sql.lit('composer').as('role')])
            .where('Composer', 'like', 'B%'),
        )
        .orderBy('name')
        .orderBy('role'),
  },
  {
    name: 'size of the catalogue by price and kind',
    build: (db) =>
      db
        .selectFrom('Track')
        .select((eb) => [
          'UnitPrice',
          eb
            .case()
            .when('Milliseconds', '<', 180_000)
            .then('short')
            .when('Milliseconds', '<', 600_000)
            .then('medium')
            .else('long')
            .end()
            .as('kind'),
          eb.fn.countAll().as('tracks'),
          sql`sum(Bytes) / 1048576`.as('megabytes'),
          sql`round(avg(Milliseconds) / 1000.0, 1)`.as('seconds'),
        ])
        .groupBy(['UnitPrice', 'kind'])
        .orderBy('UnitPrice')
        .orderBy('kind'),
  },
  {
    name: 'tracks of an album',
    build: (db) =>
      db
        .selectFrom('Track')
        .select(['TrackId', 'Name', 'Milliseconds'])
        .where('AlbumId', '=', 4)
        .orderBy('TrackId'),
  },
]
