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
  readonly members: ReadonlyMap<string, Account>;
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

/**
 * So many members have leases of the length they ask for. Of more they are longer,
 * by the root of how many more: the engine has to bear that many times as many
 * writes, and others have to wait that many times as long for what the dead had.
 */
const CROWD = 100;

/** How many times as long the leases of so many members are, for the engine's sake. */
export function stretch(members: number): number {
  return Math.max(1, Math.sqrt(members / CROWD));
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
  const members = lapsed(book.members, lapses);
  const own = members.get(report.id);
  members.delete(report.id);
  const isLeased = own !== undefined && own.fence > 0;
  const writes = book.writes + 1;
  // Of members with different maxima, the one whose lease began last is right.
  const max = isLeased ? book.max : report.max;
  const kept = isLeased ? Math.min(own.block, report.block) : 0;
  const held = own?.floor ?? 0;
  let left = Math.max(0, max - sum(members) - held - kept);
  const floor = Math.min(report.floor, held + left);
  left -= Math.max(0, floor - held);
  const ttl = Math.ceil(report.ttl * stretch(members.size + 1));
  const account: Account = {
    fence: isLeased ? own.fence : writes,
    beat: writes,
    floor,
    block: kept,
    wants: Math.min(Math.max(report.demand, report.floor), report.max) - floor,
    ttl,
    floorTtl: Math.max(report.floorTtl, ttl),
  };
  const next = { max, writes, members: members.set(report.id, account) };
  const lacks = Math.max(0, shareOf(next, report.id) - kept);
  const block = kept + Math.min(lacks, left);
  members.set(report.id, { ...account, block });
  return next;
}

/** What stands in the book after a member has left. */
export function withoutMember(book: Book, id: string): Book {
  const members = new Map(book.members);
  members.delete(id);
  return { ...book, members };
}

/**
 * The block that is due to a member: what is left beyond the floors is shared out
 * so that who wants least has it, and the others equally much; of what nobody wants
 * each has a little in advance.
 */
export function shareOf(book: Book, id: string): number {
  const own = book.members.get(id);
  if (own === undefined) return 0;
  const crowds = new Map<number, number>();
  let left = book.max;
  for (const { floor, wants } of book.members.values()) {
    left -= floor;
    crowds.set(wants, (crowds.get(wants) ?? 0) + 1);
  }
  left = Math.max(0, left);
  const all = book.members.size;
  let rest = all;
  for (const [wants, crowd] of [...crowds].sort(([a], [b]) => a - b)) {
    if (wants * rest > left) {
      // From here on nobody has all that it wants.
      if (own.wants < wants) return own.wants;
      const part = Math.floor(left / rest);
      return part + Number(placeOf(own, wants, book) < left - part * rest);
    }
    left -= wants * crowd;
    rest -= crowd;
  }
  return own.wants + Math.floor(Math.min(left, book.max / 4) / all);
}

/** How many of those who want so much are younger: age does not change as wants do. */
function placeOf(own: Account, wants: number, book: Book): number {
  let place = 0;
  for (const other of book.members.values()) {
    if (other.wants >= wants && other.fence > own.fence) place++;
  }
  return place;
}

/** Takes from members that have not been heard of what was leased to them. */
function lapsed(
  members: Book["members"],
  lapses: readonly Lapse[],
): Map<string, Account> {
  const left = new Map(members);
  for (const { id, beat, isWhole } of lapses) {
    const account = left.get(id);
    if (account?.beat !== beat) continue;
    if (isWhole || account.floor === 0) left.delete(id);
    else left.set(id, { ...account, fence: 0, block: 0, wants: 0 });
  }
  return left;
}

function sum(members: Book["members"]): number {
  let all = 0;
  for (const { floor, block } of members.values()) all += floor + block;
  return all;
}

/** As a ledger keeps it. */
export function encode({ max, writes, members }: Book): string {
  const rows = [...members].map(([id, account]) => [
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
  if (text === "") return { max, writes: 0, members: new Map() };
  try {
    const book = JSON.parse(text);
    const rows = book.members.map((row: (string | number)[]) => {
      const [id, ...numbers] = row;
      if (numbers.length !== 7 || !numbers.every(Number.isFinite)) throw row;
      const [fence, beat, floor, block, wants, ttl, floorTtl] = numbers;
      return [id, { fence, beat, floor, block, wants, ttl, floorTtl }];
    });
    if (!Number.isFinite(book.max + book.writes)) throw book;
    return { ...book, members: new Map(rows) };
  } catch {
    throw new TypeError(`The ledger holds no book of a fleet: ${text}`);
  }
}
