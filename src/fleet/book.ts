/** What the book says of a member of the fleet. */
export interface Account {
  /** The number of the write that its lease began with; 0 for none. */
  readonly fence: number;
  /** The number of its last write; who reads the same again has not heard of it. */
  readonly beat: number;
  /** Permits that are its own while it is cut off; none but it uses them. */
  readonly floor: number;
  /** Permits beyond those, for as long as its lease lasts. */
  readonly block: number;
  /** How many beyond its floor it could use, or lacks of the floor it asked for. */
  readonly wants: number;
  /** Milliseconds for which the block is leased, and the floor. */
  readonly ttl: number;
  readonly floorTtl: number;
}

/** What a ledger holds: the permits of a fleet, and who has them. */
export interface Book {
  readonly max: number;
  /** How often members have written. */
  readonly writes: number;
  readonly members: Readonly<Record<string, Account>>;
}

/** What a member says of itself when it writes. */
export interface Report {
  readonly id: string;
  readonly max: number;
  /** The permits it would have as floor, and those of its block it still has. */
  readonly floor: number;
  readonly block: number;
  /** How many it could use in all. */
  readonly demand: number;
  readonly ttl: number;
  readonly floorTtl: number;
}

/** A member that has not been heard of: with this beat, for longer than its ttl. */
export interface Lapse {
  readonly id: string;
  readonly beat: number;
  /** Whether that is longer than the ttl of its floor as well. */
  readonly isWhole: boolean;
}

/** So many members have leases of the length they ask for; of more, longer ones. */
const CROWD = 100;

/** How many times as long the leases of so many members are, for the engine's sake. */
export function stretch(members: number): number {
  return Math.max(1, members / CROWD);
}

/*
 * The next value of the book, and that is all which ever changes it. No clock, no
 * I/O: `tests/model/fleet.ts` checks these over all interleavings of its users.
 *
 *  Capacity    the floors and blocks of all members add up to max at most; where
 *              max has been lowered, to no more than before
 *  Types       floors, blocks and wants are integers of 0 and more
 *  Owner       a block grows, and a floor is given, by its own member's write only
 *  Lapse       another takes a block away as a whole, and only of an account that
 *              has the beat for which it was judged
 *  Fencing     a lease that has lapsed, or ended, never comes back: the numbers of
 *              writes only rise, and no two members have the same
 *  Cover       what a member may use is in the book: its floor and block there are
 *              no less, from before it uses a permit until after it does not
 *  Safety      hence what all may use is max at most, while clocks keep the bound
 *  Fair        when all have written again, with the same wants and nobody lost,
 *              each has its fair share
 */

/** What stands in the book after a member has written. */
export function advance(
  book: Book,
  report: Report,
  lapses: readonly Lapse[],
): Book {
  const { [report.id]: own, ...members } = lapsed(book.members, lapses);
  const isLeased = own !== undefined && own.fence > 0;
  const writes = book.writes + 1;
  // Of members with different maxima, the one whose lease began last is right.
  const max = isLeased ? book.max : report.max;
  const kept = isLeased ? Math.min(own.block, report.block) : 0;
  const held = own?.floor ?? 0;
  let left = Math.max(0, max - sum(members) - held - kept);
  const floor = Math.min(report.floor, held + left);
  left -= Math.max(0, floor - held);
  const factor = stretch(Object.keys(members).length + 1);
  const account: Account = {
    fence: isLeased ? own.fence : writes,
    beat: writes,
    floor,
    block: kept,
    wants: Math.min(Math.max(report.demand, report.floor), report.max) - floor,
    ttl: report.ttl * factor,
    floorTtl: Math.max(report.floorTtl, report.ttl * factor),
  };
  const next = { max, writes, members: { ...members, [report.id]: account } };
  const lacks = Math.max(0, shareOf(next, report.id) - kept);
  const block = kept + Math.min(lacks, left);
  next.members[report.id] = { ...account, block };
  return next;
}

/** What stands in the book after a member has left. */
export function withoutMember(book: Book, id: string): Book {
  const { [id]: _, ...members } = book.members;
  return { ...book, members };
}

/**
 * The block that is due to a member: what is left beyond the floors is shared out
 * so that who wants least has it, and the others equally much; of what nobody wants
 * each has a little in advance.
 */
export function shareOf(book: Book, id: string): number {
  const accounts = Object.entries(book.members)
    .sort(([, a], [, b]) => a.wants - b.wants);
  const crowd = accounts.length;
  let left = book.max;
  for (const [, { floor }] of accounts) left -= floor;
  left = Math.max(0, left);
  let share = 0;
  for (const [i, [other, { wants }]] of accounts.entries()) {
    const part = Math.floor(left / (crowd - i));
    if (wants > part) {
      // So do the rest: what is over goes by age, which does not change as wants do.
      const rest = accounts.slice(i).sort(([, a], [, b]) => b.fence - a.fence);
      const place = rest.findIndex(([other]) => other === id);
      const over = left - part * rest.length;
      if (place >= 0) share = place < over ? part + 1 : part;
      left = 0;
      break;
    }
    left -= wants;
    if (other === id) share = wants;
  }
  const advance = Math.floor(Math.min(left, book.max / 4) / crowd);
  return share + advance;
}

/** Takes from members that have not been heard of what was leased to them. */
function lapsed(
  members: Book["members"],
  lapses: readonly Lapse[],
): Book["members"] {
  const left = { ...members };
  for (const { id, beat, isWhole } of lapses) {
    const account = left[id];
    if (account?.beat !== beat) continue;
    if (isWhole || account.floor === 0) delete left[id];
    else left[id] = { ...account, fence: 0, block: 0, wants: 0 };
  }
  return left;
}

function sum(members: Book["members"]): number {
  return Object.values(members)
    .reduce((all, { floor, block }) => all + floor + block, 0);
}

/** As a ledger keeps it. */
export function encode({ max, writes, members }: Book): string {
  const rows = Object.entries(members).map(([id, account]) => [
    ...[id, account.fence, account.beat, account.floor, account.block],
    ...[account.wants, account.ttl, account.floorTtl],
  ]);
  return JSON.stringify({ max, writes, members: rows });
}

/**
 * Reads what a ledger keeps; nothing is an empty book.
 *
 * @throws {TypeError} if that is no book
 */
export function decode(text: string, max: number): Book {
  if (text === "") return { max, writes: 0, members: {} };
  try {
    const book = JSON.parse(text);
    const rows = book.members.map((row: (string | number)[]) => {
      const [id, ...numbers] = row;
      if (numbers.length !== 7 || !numbers.every(Number.isFinite)) throw row;
      const [fence, beat, floor, block, wants, ttl, floorTtl] = numbers;
      return [id, { fence, beat, floor, block, wants, ttl, floorTtl }];
    });
    if (!Number.isFinite(book.max + book.writes)) throw book;
    return { ...book, members: Object.fromEntries(rows) };
  } catch {
    throw new TypeError(`The ledger holds no book of a fleet: ${text}`);
  }
}
