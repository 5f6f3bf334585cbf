// SPDX-License-Identifier: MIT
/** What is said in place of the views: a capture without samples, data that cannot be read. */
import type { Capture } from '../data/capture.js';
import { make, part } from './dom.js';
import { formatNumber } from './format.js';

/** Why, as far as the capture tells, and what to do about it. */
export function emptyReasons(capture: Capture): string[] {
	const { facts, losses } = capture;
	const lost = losses.reduce((sum, loss) => sum + loss.count, 0);
	const leftOut = Number(facts.get('left_out') ?? 0);
	const reasons: string[] = [];
	if (leftOut > 0) {
		reasons.push(
			`The options of the report left out all of ${formatNumber(leftOut, 'sample')}: ` +
				`${facts.get('selection') ?? ''}. Make it again without them.`,
		);
	}
	if (lost > 0) {
		reasons.push(
			`${formatNumber(lost, 'tick')} could not be taken or kept. ` +
				'Record at a lower rate (-r 100), or with more room on the disk.',
		);
	}
	if (reasons.length === 0) {
		reasons.push(
			'The program may have ended before the first tick. Record it for longer, ' +
				'or look more often: fireglass record -r 1000 -- COMMAND',
			'\u201cfireglass doctor PID\u201d tells whether a running program can be looked at.',
		);
	}
	return reasons;
}

/** In place of the views: a headline, and what to do about it. */
export function showNotice(headline: string, lines: readonly string[]): void {
	const texts = lines.map((line) => make('p', '', line));
	part('main').replaceChildren(
		make('div', 'note', make('p', '', make('b', '', headline)), ...texts),
	);
	part('timeline').hidden = true;
	document.documentElement.classList.add('empty');
}

/** What went wrong, in place of the page. */
export function showFailure(error: unknown): void {
	console.error(error);
	const why = error instanceof Error ? error.message : String(error);
	showNotice('This report cannot be shown.', [
		`${why.charAt(0).toUpperCase()}${why.slice(1)}.`,
		'If the file was sent or copied, it may have been cut off on the way. Otherwise make it ' +
			'again from the capture: fireglass report FILE',
	]);
}
