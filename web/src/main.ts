// SPDX-License-Identifier: MIT
/** The page's script: reads the capture in the page and opens the viewer on it. */
import { openPage } from './app/page.js';
import { loadEmbedded } from './data/decode.js';
import { joinCaptures } from './data/join.js';
import { make, part } from './ui/dom.js';
import { showFailure } from './ui/empty.js';
import { formatBytes } from './ui/format.js';

/** When what is in the page has been drawn; browsers draw nothing in hidden tabs: then soon. */
function painted(): Promise<void> {
	return new Promise((resolve) => {
		setTimeout(resolve, 100);
		requestAnimationFrame(() => setTimeout(resolve, 0));
	});
}

function note(text: string): void {
	part('main').replaceChildren(make('div', 'note', make('p', '', text)));
}

async function start(): Promise<void> {
	const data = document.getElementById('capture')?.firstChild?.nodeValue ?? '';
	note(`Reading ${formatBytes((data.length * 3) / 4)}\u2026`);
	await painted();
	const now = await loadEmbedded('capture');
	if (!now) throw new Error('there is no capture in this page');
	const before = await loadEmbedded('baseline');
	if (before) {
		const joined = joinCaptures(now, before);
		openPage(joined.now, joined.before);
	} else {
		openPage(now, null);
	}
}

start().catch(showFailure);
