// Makes one AVIF of a picture: node one.mjs PICTURE FILE WIDTH QUALITY EFFORT
import sharp from "sharp";

const [picture, file, ...settings] = process.argv.slice(2);
const [width, quality, effort] = settings.map(Number);
await sharp(picture).autoOrient().resize(width).avif({quality, effort}).toFile(file);
