// A Modbus TCP server: npm modbus-serial. Arguments: how many addresses are served. Says its port on stdout, then takes
// {"area": "holding" | "input" | "coils" | "discrete", "address": n, "values": [...]} a line on stdin and answers {}.
"use strict";
const { ServerTCP } = require("modbus-serial");
const readline = require("readline");

const size = Number(process.argv[2]);
const areas = { holding: [], input: [], coils: [], discrete: [] };
for (const values of Object.values(areas)) for (let i = 0; i < size; i++) values.push(0);

function at(area, address) {
    if (address >= size) throw { modbusErrorCode: 2, msg: "beyond the map" };
    return areas[area][address];
}
const server = new ServerTCP({
    getHoldingRegister: (address) => at("holding", address),
    getInputRegister: (address) => at("input", address),
    getCoil: (address) => Boolean(at("coils", address)),
    getDiscreteInput: (address) => Boolean(at("discrete", address)),
}, { host: "127.0.0.1", port: 0, unitID: 1 });
server.on("initialized", () => console.log(JSON.stringify({ port: server._server.address().port })));

readline.createInterface({ input: process.stdin }).on("line", (line) => {
    const { area, address, values } = JSON.parse(line);
    values.forEach((value, i) => { areas[area][address + i] = value; });
    console.log("{}");
}).on("close", () => process.exit(0));
