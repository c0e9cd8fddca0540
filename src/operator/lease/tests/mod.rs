mod decision;
mod election;
mod server;
