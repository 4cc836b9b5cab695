"""What every part of the desk stands on: records, accounts, ledger, intake of the contract, web shell."""
