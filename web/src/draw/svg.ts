// SPDX-License-Identifier: MIT
/** Pictures as SVG: boxes with text and titles, nothing but markup that we wrote. */
import type { Theme } from '../ui/colours.js';
import { mixColours, textOn } from '../ui/colours.js';
import type { Fitter } from './text.js';
import { visible } from './text.js';

export const FONT =
	'ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif';

const MARKUP: Readonly<Record<string, string>> = {
	'&': '&amp;',
	'<': '&lt;',
	'>': '&gt;',
	'"': '&quot;',
	"'": '&#39;',
};

/** Text for content and attributes: no markup, and only characters that XML allows. */
export function escapeXml(text: string): string {
	return visible(text).replace(/[&<>"']/g, (c) => MARKUP[c] ?? '');
}

export interface SvgBox {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
	readonly fill: string; // "#rrggbb", or "hatch" for what stands for many
	/** Parts of the width with fills of their own, left to right, in shares; over `fill`. */
	readonly parts?: readonly (readonly [number, string])[];
	readonly text: string; // clipped to the box
	readonly title: string; // shown by viewers when pointed at
}

export interface SvgText {
	readonly x: number;
	readonly y: number; // of the middle of the line
	readonly text: string;
	readonly strong?: boolean;
	readonly anchor?: 'start' | 'middle' | 'end';
}

export interface Picture {
	readonly title: string;
	readonly width: number;
	readonly height: number;
	readonly boxes: readonly SvgBox[];
	readonly texts: readonly SvgText[];
}

const n = (value: number): string => String(Math.round(value * 100) / 100);

function rect(x: number, y: number, width: number, height: number, fill: string): string {
	const paint = fill === 'hatch' ? 'url(#hatch)' : fill;
	return `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" fill="${escapeXml(paint)}"/>`;
}

function boxMarkup(box: SvgBox, theme: Theme, fitter: Fitter): string {
	const width = Math.max(0.5, box.width - (box.width > 3 ? 1 : 0));
	const height = box.height - 1;
	let out = `<g><title>${escapeXml(box.title)}</title>${rect(box.x, box.y, width, height, box.fill)}`;
	let at = box.x;
	for (const [share, fill] of box.parts ?? []) {
		if (share * width >= 0.05) out += rect(at, box.y, share * width, height, fill);
		at += share * width;
	}
	const text = box.width > 16 ? fitter.fit(visible(box.text), width - 6) : '';
	if (text) {
		const ink = box.fill === 'hatch' ? theme.text : textOn(box.parts?.[0]?.[1] ?? box.fill);
		out += `<text x="${n(box.x + 3)}" y="${n(box.y + height / 2)}" fill="${ink}">${escapeXml(text)}</text>`;
	}
	return `${out}</g>\n`;
}

/** A whole SVG file. All texts may hold anything. */
export function svgOf(picture: Picture, theme: Theme, fitter: Fitter): string {
	const { width, height } = picture;
	const lines = mixColours(theme.hatch, theme.pooled, 0.2);
	const head =
		`<svg xmlns="http://www.w3.org/2000/svg" width="${n(width)}" height="${n(height)}" ` +
		`viewBox="0 0 ${n(width)} ${n(height)}" font-family="${escapeXml(FONT)}" font-size="12">\n` +
		`<title>${escapeXml(picture.title)}</title>\n` +
		'<style>text{dominant-baseline:central;white-space:pre}</style>\n' +
		'<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse">' +
		`<rect width="6" height="6" fill="${theme.pooled}"/>` +
		`<path d="M-1 7L7-1M-1 1L1-1M5 7L7 5" stroke="${lines}" stroke-width="1.2"/></pattern></defs>\n` +
		`<rect width="100%" height="100%" fill="${theme.back}"/>\n`;
	const texts = picture.texts.map(
		(t) =>
			`<text x="${n(t.x)}" y="${n(t.y)}" fill="${theme.text}" text-anchor="${t.anchor ?? 'start'}"` +
			`${t.strong ? ' font-weight="650"' : ''}>${escapeXml(t.text)}</text>\n`,
	);
	const boxes = picture.boxes.map((box) => boxMarkup(box, theme, fitter));
	return `${head}${texts.join('')}${boxes.join('')}</svg>\n`;
}
