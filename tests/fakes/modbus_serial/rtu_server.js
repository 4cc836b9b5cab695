// A Modbus RTU server: npm modbus-serial with serialport. Arguments: a serial port, and how many addresses are served.
// Says {} on stdout once the port is open, then takes the same lines on stdin as server.js.
"use strict";
const { ServerSerial } = require("modbus-serial");
const readline = require("readline");

const [path, size] = [process.argv[2], Number(process.argv[3])];
const areas = { holding: [], input: [], coils: [], discrete: [] };
for (const values of Object.values(areas)) for (let i = 0; i < size; i++) values.push(0);

function at(area, address) {
    if (address >= size) throw { modbusErrorCode: 2, msg: "beyond the map" };
    return areas[area][address];
}
const server = new ServerSerial({
    getHoldingRegister: (address) => at("holding", address),
    getInputRegister: (address) => at("input", address),
    getCoil: (address) => Boolean(at("coils", address)),
    getDiscreteInput: (address) => Boolean(at("discrete", address)),
}, { path, baudRate: 19200, unitID: 1, interval: 5 });
server.on("initialized", () => console.log("{}"));

readline.createInterface({ input: process.stdin }).on("line", (line) => {
    const { area, address, values } = JSON.parse(line);
    values.forEach((value, i) => { areas[area][address + i] = value; });
    console.log("{}");
}).on("close", () => process.exit(0));
