// Makes the ladder of one picture as sharp's documentation does, and prints the CPU time and memory that it took.
// node ladder.mjs PICTURE FOLDER defaults|same WIDTH,... FALLBACK_WIDTH,...
import {writeFileSync} from "node:fs";
import sharp from "sharp";

const [picture, folder, settings, widths, fallbackWidths] = process.argv.slice(2);
// CPU time is compared: threads would add their waiting for each other.
sharp.concurrency(1);
const {hasAlpha} = await sharp(picture).metadata();
const before = process.cpuUsage();
const make = async (width, format, options) => {
    const made = await sharp(picture).autoOrient().resize(width).toFormat(format, options).toBuffer();
    writeFileSync(`${folder}/${width}.${format}`, made);
};
for (const width of widths.split(",").map(Number)) {
    await make(width, "avif", settings === "same" ? {quality: width <= 320 ? 70 : 60, effort: 1} : {});
}
for (const width of fallbackWidths.split(",").map(Number)) {
    const same = hasAlpha ? {quality: width <= 320 ? 85 : 80}
        : {quality: width <= 320 ? 85 : 78, progressive: true, chromaSubsampling: "4:4:4"};
    await make(width, hasAlpha ? "webp" : "jpeg", settings === "same" ? same : {});
}
const {user, system} = process.cpuUsage(before);
console.log(JSON.stringify({cpu_seconds: (user + system) / 1e6, peak_bytes: process.resourceUsage().maxRSS * 1024}));
