/** What the subjects are called in tables and plots, versions aside. */
const LABELS: Record<string, string> = {
  promise: "await of a resolved promise",
  hand_off: "minimal hand-off",
  lease_hand_off: "minimal hand-off with a lease",
  ours: "@lease/pool",
  shedding_ours: "@lease/pool, codel()",
  generic_pool: "generic-pool",
  tarn: "tarn",
  lightning_pool: "lightning-pool",
  sequelize_pool: "sequelize-pool",
  pg_pool: "pg-pool",
  effect: "effect Pool",
  async_sema: "async-sema",
  unobserved: "@lease/pool without",
  postgres_ours: "@lease/pool + pg",
  postgres_shedding_ours: "@lease/pool, codel() + pg",
  postgres_pg_ours: "@lease/pool/pg",
  postgres_pg_pool: "pg-pool + pg",
  postgres_js: "postgres.js",
  postgres_tarn: "tarn + pg",
  postgres_generic_pool: "generic-pool + pg",
};

export function label(subject: string): string {
  return LABELS[subject] ?? subject;
}

/** A number with three digits that count. */
export function digits(value: number): string {
  if (value === 0) return "0";
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(places, 3));
}
