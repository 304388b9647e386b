// What became of our referrals: read from our feed into outcomes.db, each entry once.
//
//   node outcomes.mjs      (the settings that `ama partners user` printed are in the environment; OUTCOMES_STORE names another file)
//
// The entry's effect and its place in the feed are one transaction of SQLite, so a crash at any instant repeats nothing and loses
// nothing. Where to read on is what that file says; what Kafka remembers of this group is for watching.

import { DatabaseSync } from 'node:sqlite'
import kafkajs from 'kafkajs'

const { AMA_FEED_KAFKA, AMA_FEED_TOPIC, AMA_FEED_USER, AMA_FEED_PASSWORD, AMA_FEED_MECHANISM, AMA_FEED_TLS } = process.env
const prefix = 'it.amalavoro.feed.'
const end = (sentence) => { console.error(sentence); process.exit(1) }
if (!AMA_FEED_KAFKA || !AMA_FEED_TOPIC || !AMA_FEED_USER || !AMA_FEED_PASSWORD) {
  end('AMA_FEED_* is not set: load the settings that `ama partners user` printed.')
}

const db = new DatabaseSync(process.env.OUTCOMES_STORE ?? 'outcomes.db')
db.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS outcomes (
    person TEXT PRIMARY KEY, referred TEXT, admitted TEXT, declined TEXT, seated TEXT, withdrew TEXT, reason TEXT);
  CREATE TABLE IF NOT EXISTS place (topic TEXT PRIMARY KEY, sequence INTEGER NOT NULL, id TEXT NOT NULL, next TEXT NOT NULL);
`)

const set = (column) => {
  const statement = db.prepare(
    `INSERT INTO outcomes (person, ${column}) VALUES (?, ?) ON CONFLICT (person) DO UPDATE SET ${column} = excluded.${column}`)
  return ({ subject, data }) => statement.run(subject, data.on)
}
const setReason = db.prepare('UPDATE outcomes SET reason = ? WHERE person = ?')
const remove = db.prepare('DELETE FROM outcomes WHERE person = ?')
const withdrew = set('withdrew')

// What each type does. A type that is not here has no effect: new ones may come at any time.
const effects = {
  'worker.referred.v1': set('referred'),
  'worker.admitted.v1': set('admitted'),
  'worker.declined.v1': set('declined'),
  'worker.seated.v1': set('seated'),
  'worker.withdrew.v1': (entry) => { withdrew(entry); setReason.run(entry.data.reason, entry.subject) },
  'consent.withdrawn.v1': ({ subject }) => remove.run(subject), // what we were told is to be deleted
  'worker.erased.v1': ({ subject }) => remove.run(subject)
}

const kept = db.prepare('SELECT sequence, id, next FROM place WHERE topic = ?')
const keep = db.prepare('REPLACE INTO place VALUES (?, ?, ?, ?)')

// Takes a record of the topic in one transaction; false when it was taken before.
function take (topic, record) {
  const entry = JSON.parse(record.value)
  db.exec('BEGIN IMMEDIATE')
  try {
    const { sequence: last, id } = kept.get(topic) ?? { sequence: 0 }
    const sequence = Number(entry.sequence)
    if (sequence > last + 1) throw new Error(`place ${last + 1} is missing: ${sequence} comes after ${last}`)
    if (sequence === last && entry.id !== id) throw new Error(`another entry (${entry.id}) is at place ${sequence}`)
    if (sequence > last) {
      effects[entry.type.slice(prefix.length)]?.(entry)
      keep.run(topic, sequence, entry.id, String(BigInt(record.offset) + 1n))
    }
    db.exec('COMMIT')
    return sequence > last
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}

const kafka = new kafkajs.Kafka({
  brokers: AMA_FEED_KAFKA.split(','),
  ssl: AMA_FEED_TLS === 'yes',
  sasl: { mechanism: (AMA_FEED_MECHANISM || 'SCRAM-SHA-512').toLowerCase(), username: AMA_FEED_USER, password: AMA_FEED_PASSWORD },
  logLevel: kafkajs.logLevel.NOTHING // it logs each attempt; what it gives up is one sentence below
})
// after a crash the group waits for the former member: no longer than this
const consumer = kafka.consumer({ groupId: `${AMA_FEED_USER}.outcomes-js`, sessionTimeout: 6000, heartbeatInterval: 2000 })

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => consumer.disconnect().finally(() => process.exit(0)))
}
// kafkajs tries again what may pass by itself; what it gives up ends the program, to be started again
consumer.on(consumer.events.CRASH, ({ payload }) => {
  if (!payload.restart) end(payload.error.message)
})

try {
  await consumer.connect()
  await consumer.subscribe({ topic: AMA_FEED_TOPIC, fromBeginning: true })
} catch (error) {
  end(`Kafka at ${AMA_FEED_KAFKA} does not answer, or refuses ${AMA_FEED_USER}: ${error.message}`)
}
consumer.on(consumer.events.GROUP_JOIN, () => consumer.seek(
  { topic: AMA_FEED_TOPIC, partition: 0, offset: kept.get(AMA_FEED_TOPIC)?.next ?? '0' }))
await consumer.run({
  eachMessage: async ({ topic, message }) => {
    if (take(topic, message)) console.log(`entry ${JSON.parse(message.value).sequence} taken`)
  }
})
