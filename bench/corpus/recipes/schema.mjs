/**
 * People, their pets and what happens to them. Flags are 0 and 1, moments are texts in UTC, but for
 * `paid_at`, which counts seconds; `deleted_at` marks what is gone; `profile` is JSON.
 */
export const schema = `
  create table person (
    id integer primary key autoincrement, first_name text not null, middle_name text,
    last_name text not null, gender text not null, birth_date text, email text not null unique,
    is_active boolean not null default 1, manager_id integer references person, profile text not null,
    created_at text not null, last_seen_at text, deleted_at text);
  create table pet (
    id integer primary key autoincrement, name text not null,
    owner_id integer not null references person on delete cascade, species text not null,
    born_on date, weight real, is_vaccinated boolean not null default 0);
  create table toy (
    id integer primary key autoincrement, name text not null,
    pet_id integer not null references pet on delete cascade, price real not null);
  create table visit (
    id integer primary key autoincrement, pet_id integer not null references pet,
    vet_id integer not null references person, visited_at datetime not null, reason text not null,
    cost decimal(10, 2) not null, paid_at integer, note text, tags text not null default '[]');
  create table category (
    id integer primary key autoincrement, name text not null, parent_id integer references category);
  create view active_person as
    select id, first_name, last_name, created_at from person where deleted_at is null and is_active;
`

export const indexes = `
  create index person_created_at on person (created_at);
  create index pet_owner_id on pet (owner_id);
  create index toy_pet_id on toy (pet_id);
  create index visit_pet_id on visit (pet_id, visited_at);
`
