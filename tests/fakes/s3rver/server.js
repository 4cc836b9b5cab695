// An S3-compatible store on a free loopback port: prints {"port": ...} when it answers.
const S3rver = require("s3rver");
const [directory, bucket] = process.argv.slice(2);
const server = new S3rver({ address: "127.0.0.1", port: 0, silent: true, directory, configureBuckets: [{ name: bucket }] });
server.run((error, address) => {
  if (error) throw error;
  console.log(JSON.stringify({ port: address.port }));
});
