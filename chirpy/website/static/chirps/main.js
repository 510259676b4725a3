/** Chirpy itself: the account, the composer and the feed. */

import { startAccount } from "./account.js";
import { startComposer } from "./composer.js";
import { byId } from "./elements.js";
import { startFeed } from "./feed.js";

byId("origin").textContent = location.origin;
startAccount();
const refresh = startFeed();
startComposer(refresh);
