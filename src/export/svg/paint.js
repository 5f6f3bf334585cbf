// SPDX-License-Identifier: MIT
// Boxes and labels onto a canvas, in the colours that the style sheets have for them just now.
import { DIFF_CSS } from './diff.js';
import { html, svg } from './dom.js';
import { makeFitter, ORIGINS } from './text.js';

const TONES = 8; // SVG_TONES in svg.h
const FONT =
	'ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif';
const HATCH_PX = 6;
const LEAST_ADDITION = 6; // characters: less of it says nothing

export const CSS_CLASSES = ORIGINS.flatMap(({ css }) =>
	Array.from({ length: TONES }, (_, tone) => css + tone),
).concat(DIFF_CSS, ['label', 'rest-label', 'quiet', 'hit', 'hit-label', 'mark'], [
	'hatch-ground',
	'gone-ground',
]);

// Fills by class, read from elements that nobody sees.
function readColours() {
	const probe = svg(
		'svg',
		{ width: 0, height: 0, style: 'position:absolute' },
		...CSS_CLASSES.map((css) => svg('rect', { class: css })),
	);
	document.body.append(probe);
	const colours = new Map(
		[...probe.children].map((rect) => [
			rect.getAttribute('class'),
			getComputedStyle(rect).fill,
		]),
	);
	for (const css of ['hatch-line', 'gone-line']) {
		const line = svg('path', { class: css });
		probe.append(line);
		colours.set(css, getComputedStyle(line).stroke);
	}
	probe.remove();
	return colours;
}

function drawHatch(ground, line) {
	const tile = html('canvas', { width: HATCH_PX * 2, height: HATCH_PX * 2 });
	const context = tile.getContext('2d');
	context.fillStyle = ground;
	context.fillRect(0, 0, tile.width, tile.height);
	context.strokeStyle = line;
	context.lineWidth = 3;
	context.beginPath();
	for (let x = -tile.width; x <= tile.width * 2; x += tile.width) {
		context.moveTo(x - 2, tile.height + 2);
		context.lineTo(x + tile.width + 2, -2);
	}
	context.stroke();
	return tile;
}

export function makePainter(canvas) {
	const context = canvas.getContext('2d');
	const fits = new Map();
	let colours = new Map();
	let fontPx = 12;
	let filled = '';

	// Setting a colour is dearer than drawing a narrow box.
	const fill = (css) => {
		if (css === filled) return;
		filled = css;
		context.fillStyle = colours.get(css);
	};

	const fitter = () => {
		if (!fits.has(fontPx))
			fits.set(
				fontPx,
				makeFitter((c) => context.measureText(c).width),
			);
		return fits.get(fontPx);
	};
	const hatch = (name, ground, line) => {
		const pattern = context.createPattern(
			drawHatch(colours.get(ground), colours.get(line)),
			'repeat',
		);
		pattern.setTransform(new DOMMatrix().scale(0.5));
		colours.set(name, pattern);
	};

	return {
		readTheme() {
			colours = readColours();
			hatch('rest', 'hatch-ground', 'hatch-line');
			hatch('rest-hit', 'hatch-ground', 'hit');
			hatch('x0', 'gone-ground', 'gone-line');
		},
		// Clears, and sets what a new size of the canvas forgets.
		begin(width, height, newFontPx) {
			const ratio = devicePixelRatio || 1;
			canvas.width = Math.round(width * ratio);
			canvas.height = Math.round(height * ratio);
			canvas.style.width = `${width}px`;
			canvas.style.height = `${height}px`;
			context.setTransform(ratio, 0, 0, ratio, 0, 0);
			fontPx = newFontPx;
			filled = '';
			context.font = `${fontPx}px ${FONT}`;
			context.textBaseline = 'middle';
			context.direction = 'ltr';
		},
		fade(alpha) {
			context.globalAlpha = alpha;
		},
		box(css, x, y, width, height) {
			fill(css);
			if (width < 4 || !context.roundRect) {
				context.fillRect(x, y, width > 2 ? width - 0.7 : width, height);
				return;
			}
			context.beginPath();
			context.roundRect(x, y, width - 0.7, height, 2.5);
			context.fill();
		},
		outline(x, y, width, height, lineWidth) {
			context.strokeStyle = colours.get('mark');
			context.lineWidth = lineWidth;
			const inset = Math.min(lineWidth, width) / 2;
			context.strokeRect(
				x + inset,
				y + inset,
				Math.max(width - 2 * inset - 0.7, 0.5),
				height - 2 * inset,
			);
		},
		// A name, and where there is room a paler addition to it.
		label(css, name, addition, x, y, room) {
			const fit = fitter();
			const shown = fit(name + addition, room);
			const whole = shown.length > name.length;
			fill(css);
			context.fillText(whole ? name : shown, x, y);
			if (!whole || (shown.endsWith('…') && shown.length < name.length + LEAST_ADDITION))
				return;
			const alpha = context.globalAlpha;
			context.globalAlpha = alpha * 0.62;
			context.fillText(shown.slice(name.length), x + context.measureText(name).width, y);
			context.globalAlpha = alpha;
		},
	};
}
