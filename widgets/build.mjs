// Bundles the views into flownb/widgets/static: one script and one style sheet, with nothing left to load.
import { build } from "esbuild";

const folder = process.argv[2] ?? "../flownb/widgets/static";

await build({
  entryPoints: { view: "src/index.tsx" },
  outdir: folder,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "warning",
});
