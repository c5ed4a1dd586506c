// The vendor's SDK for browsers, 6.35.3, as a subject of the kit:
//
//     splus-session conform -- node ts6.mjs FOLDER
//
// where FOLDER is where `package.json` was installed.

import { serve } from './adapter.mjs';
import { PackageAfresh } from './package_afresh.mjs';
import { keepIn } from './page.mjs';

serve({
  sdk: new PackageAfresh(process.argv[2], '@amityco/ts-sdk'),
  // No `resume`: this SDK stores no session, and takes none back.
  features: [],
  keepIn,
});
